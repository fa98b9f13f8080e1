import { strict as assert } from 'node:assert'
import type { Usage, UsageDetail } from '../../../src/index.ts'
import { RunningUsage } from '../../../src/task/running/usage.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { fakeTask, recorded } from '../../support/fake-task.ts'

/** Counts the probes that are open. */
function probed() {
  const probes = { made: 0, open: 0 }
  const task = recorded(
    fakeTask({
      keeper: {
        probe: () => {
          probes.made++
          probes.open++
          return {
            sample: async () => ({}) as Usage,
            detail: () => ({}) as UsageDetail,
            close: () => probes.open--,
          }
        },
      },
    }),
  )
  return { task, probes }
}

describe('the usage of a running task', () => {
  it('opens and closes what it looks at for each sample, while nobody watches', async () => {
    const { task, probes } = probed()
    new FakeShim(task.dir).started()
    const usage = new RunningUsage(task)
    await usage.sample()
    await usage.detail()
    assert.deepEqual(probes, { made: 2, open: 0 })
  })

  it('keeps it open until the last who watches has let go', async () => {
    const { task, probes } = probed()
    new FakeShim(task.dir).started()
    const usage = new RunningUsage(task)
    const releases = [usage.watch(), usage.watch()]
    await usage.sample()
    await usage.sample()
    releases[0]?.()
    assert.deepEqual(probes, { made: 1, open: 1 })
    releases[1]?.()
    assert.equal(probes.open, 0)
  })

  it('opens anew what has been forgotten', async () => {
    const { task, probes } = probed()
    new FakeShim(task.dir).started()
    const usage = new RunningUsage(task)
    const release = usage.watch()
    await usage.sample()
    usage.forget()
    await usage.sample()
    assert.deepEqual(probes, { made: 2, open: 1 })
    release()
  })

  it('rejects LOST without a start record', async () => {
    await assert.rejects(new RunningUsage(recorded(fakeTask())).sample(), { code: 'LOST' })
  })
})
