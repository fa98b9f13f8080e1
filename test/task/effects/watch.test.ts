import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { lostOutcome, type Outcome, markExited, type StopRequest } from '../../../machines/index.ts'
import { Bypass } from '../../../src/task/effects/bypass.ts'
import { type EndClues, watch } from '../../../src/task/effects/watch.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { configured, type FakeTask, fakeTask, recorded } from '../../support/fake-task.ts'

const clues: EndClues = { spawnerEnd: null, bypass: new Bypass() }

/** The report, and the way to let go. */
function watched(task: FakeTask, own: Partial<EndClues> = {}) {
  let letGo = (): void => {}
  const reports: [Outcome, StopRequest | null][] = []
  const report = new Promise<Outcome>(resolve => {
    letGo = watch(task, { ...clues, ...own }, (outcome, stop) => {
      reports.push([outcome, stop])
      resolve(outcome)
    })
  })
  return { report, reports, letGo }
}

describe('the actor watch', () => {
  it('reports what the exit record says once the shim is gone, and not before', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    const { report, reports } = watched(task)
    await sleep(30)
    assert.equal(reports.length, 0)
    shim.ended({ exitCode: 7 })
    shim.gone()
    const { exitCode, cause, evidence } = await report
    assert.deepEqual([exitCode, cause, evidence], [7, 'exited', 'record'])
    assert.deepEqual(task.calls, [])
  })

  it('reports what is recorded as soon as the shim says so, which has cgroups to remove yet', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    shim.ended({ exitCode: 7 })
    const { report } = watched(task, { spawnerEnd: Promise.resolve('recorded') })
    assert.equal((await report).exitCode, 7)
    assert.deepEqual(task.calls, [])
    shim.gone()
  })

  it('kills nobody for a record that is said to be there and is not: it waits for the shim to go', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    const { report, reports } = watched(task, { spawnerEnd: Promise.resolve('recorded') })
    await sleep(30)
    assert.deepEqual([reports, task.calls], [[], []])
    shim.ended()
    shim.gone()
    assert.equal((await report).exitCode, 0)
  })

  it('takes no false alarm of the spawner for an end, and kills nobody for it', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    const { report, reports } = watched(task, { spawnerEnd: Promise.resolve('gone') })
    await sleep(30)
    assert.deepEqual([reports, task.calls], [[], []])
    shim.ended()
    shim.gone()
    assert.equal((await report).exitCode, 0)
  })

  it('kills what a shim leaves without a record: the task is lost, and its survivors are named', async () => {
    const task = recorded(fakeTask({ keeper: { killTree: async () => [42] } }))
    const shim = new FakeShim(task.dir)
    shim.started(1000)
    shim.gone()
    const { cause, evidence, survivors, startedAt } = await watched(task).report
    assert.deepEqual([cause, evidence, survivors, startedAt], ['lost', 'inferred', [42], 1000])
    assert.deepEqual(task.calls, ['release '])
  })

  it('calls forced what was killed past its shim and has left nobody', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    shim.gone()
    const bypass = new Bypass()
    bypass.begin('forced')
    assert.equal((await watched(task, { bypass }).report).cause, 'forced')
    assert.deepEqual(task.calls, ['killTree', 'release '])
  })

  it('waits no longer for a shim that has been killed by every means and does not go', async () => {
    for (const spawnerEnd of [null, new Promise<never>(() => {})]) {
      const task = recorded(fakeTask())
      const shim = new FakeShim(task.dir)
      shim.started()
      const bypass = new Bypass()
      const { report } = watched(task, { bypass, spawnerEnd })
      bypass.begin('timeout')
      bypass.end([])
      const { cause, evidence, exitCode } = await report
      assert.deepEqual([cause, evidence, exitCode], ['timeout', 'inferred', null])
      assert.deepEqual(task.calls, ['release '], 'nobody is killed again')
      shim.gone()
    }
  })

  it('names what every means has left: the task is lost, whatever it was killed for', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    const bypass = new Bypass()
    bypass.begin('timeout')
    bypass.end([42])
    const { cause, survivors } = await watched(task, { bypass }).report
    assert.deepEqual([cause, survivors], ['lost', [42]])
    shim.gone()
  })

  it('takes over the conclusion that another supervisor has written down', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    const start = shim.started()
    const theirs = { ...lostOutcome('It was the other one.', 5), startedAt: start.startedAt }
    task.view.snapshot = markExited(configured(), task.file.spec.request.key, theirs, start)
    task.file.saveNow()
    shim.gone()
    assert.equal((await watched(task).report).exitedAt, 5)
  })

  it('reports nothing once it has been let go of', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    const { reports, letGo } = watched(task)
    await sleep(10)
    letGo()
    shim.ended()
    shim.gone()
    await sleep(50)
    assert.deepEqual(reports, [])
  })
})
