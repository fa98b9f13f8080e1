import { strict as assert } from 'node:assert'
import { stopMeans } from '../../../src/task/effects/means.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { fakeTask, recorded } from '../../support/fake-task.ts'

describe('the means that a task is stopped by', () => {
  it('kill what is of the task, for a second, and spare its shim', async () => {
    const asked: unknown[] = []
    const task = recorded(
      fakeTask({
        keeper: {
          killTree: async (start, options) => {
            asked.push([start, options])
            return [7]
          },
        },
      }),
    )
    const start = new FakeShim(task.dir).started()
    const means = stopMeans(task, new AbortController().signal)
    assert.equal(means.dir, task.dir)
    assert.deepEqual(means.start(), start)
    assert.deepEqual(await means.killTask(start), [7])
    assert.deepEqual(asked, [[start, { spareShim: true, limitMs: 1000 }]])
  })

  it('pause for no longer than until they are abandoned', async () => {
    const abandoned = new AbortController()
    const means = stopMeans(fakeTask(), abandoned.signal)
    const began = performance.now()
    await means.pause(5)
    assert.ok(performance.now() - began >= 4)
    const paused = means.pause(3_600_000)
    abandoned.abort()
    await paused
    assert.equal(means.abandoned, abandoned.signal)
  })
})
