import { strict as assert } from 'node:assert'
import type { StartRecord } from '../../machines/index.ts'
import { currentBootId } from '../../src/spawn/process-table.ts'
import { keeperOf, killLeftovers } from '../../src/task/keeper.ts'
import { fakeTask } from '../support/fake-task.ts'

const nobody = { pid: 0x3fffff, startTime: 1 }
const start: StartRecord = {
  ...{ format: 'holdfast.start', version: 1, shim: nobody, task: nobody, init: null },
  ...{ bootId: currentBootId(), startedAt: 1, cgroups: ['/cg/one', '/cg/two'] },
}

describe('who looks after the processes of a task', () => {
  it('is the platform that its request names', () => {
    const { request } = fakeTask().file.spec
    assert.equal(keeperOf(request).name, 'basic')
    assert.equal(keeperOf({ ...request, platform: 'linux' }).name, 'linux')
  })

  it('kills what a shim has left, then removes its cgroups, and names the survivors', async () => {
    const { keeper, calls } = fakeTask()
    const killTree = async () => {
      await keeper.killTree(start)
      return [42]
    }
    assert.deepEqual(await killLeftovers({ ...keeper, killTree }, start), [42])
    assert.deepEqual(calls, ['killTree', 'release /cg/one /cg/two'])
  })

  it('touches nobody without a record, or in another boot', async () => {
    const { keeper, calls } = fakeTask()
    for (const unusable of [null, { ...start, bootId: 'another' }])
      assert.deepEqual(await killLeftovers(keeper, unusable), [])
    assert.deepEqual(calls, [])
  })

  it('says who survived also where a cgroup cannot be removed', async () => {
    const { keeper } = fakeTask({
      keeper: { killTree: async () => [7], release: () => Promise.reject(new Error('busy')) },
    })
    assert.deepEqual(await killLeftovers(keeper, start), [7])
  })
})
