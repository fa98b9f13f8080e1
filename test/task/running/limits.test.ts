import { strict as assert } from 'node:assert'
import type { Enforcement } from '../../../src/index.ts'
import { writeLimits } from '../../../src/task/limits-file.ts'
import { RunningLimits } from '../../../src/task/running/limits.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { fakeTask, recorded } from '../../support/fake-task.ts'

const row = (name: string): Enforcement => ({
  kind: 'limit',
  name,
  requested: '1',
  status: 'enforced',
  reason: null,
  hint: null,
  chosen: true,
})

const unheard = { cgroups: () => {}, written: () => {} }

describe('the limits of a running task', () => {
  it('are those it was started with, until they are changed', async () => {
    const task = recorded(fakeTask({ keeper: { update: async () => [row('memoryBytes')] } }))
    new FakeShim(task.dir).started()
    let changes = 0
    const limits = new RunningLimits(task, { cgroups: () => changes++, written: () => {} })
    assert.deepEqual([limits.current.revision, limits.current.resources], [0, null])
    await limits.update({ memoryBytes: 2 ** 26 })
    assert.deepEqual([limits.current.revision, limits.current.resources], [1, { memoryBytes: 2 ** 26 }])
    assert.deepEqual([limits.enforcement.map(({ name }) => name), changes], [['memoryBytes'], 1])
  })

  it('go on top of what another supervisor has changed meanwhile', async () => {
    let calls = 0
    const task = recorded(
      fakeTask({
        keeper: {
          update: async () => {
            if (calls++ === 0) writeLimits(task.dir, { revision: 1, resources: { pids: 7 }, enforcement: [] })
            return [row('memoryBytes')]
          },
        },
      }),
    )
    new FakeShim(task.dir).started()
    const limits = new RunningLimits(task, unheard)
    await limits.update({ memoryBytes: 2 ** 26 })
    assert.deepEqual(limits.current.resources, { pids: 7, memoryBytes: 2 ** 26 })
    assert.equal(limits.current.revision, 2)
  })

  it('stay as they are where the platform refuses others', async () => {
    const refused = new Error('no')
    const task = recorded(fakeTask({ keeper: { update: () => Promise.reject(refused) } }))
    new FakeShim(task.dir).started()
    const limits = new RunningLimits(task, unheard)
    await assert.rejects(limits.update({ memoryBytes: 2 ** 26 }), refused)
    assert.equal(limits.current.revision, 0)
  })

  it('tell the shim its wall time, and say so when nobody is there to hear it', async () => {
    const task = recorded(fakeTask({ keeper: { update: async () => [] } }))
    const shim = new FakeShim(task.dir)
    shim.started()
    const limits = new RunningLimits(task, unheard)
    await limits.update({ wallTimeMs: 500, outputBytes: 7 })
    assert.deepEqual(shim.told(), ['wall 500', 'output 7'])
    shim.gone()
    await assert.rejects(limits.update({ wallTimeMs: 900 }), { code: 'INVALID_STATE' })
  })
})
