import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lostOutcome, markExited } from '../../machines/index.ts'
import { TaskFile } from '../../src/task/task-file.ts'
import { eventually } from '../support/eventually.ts'
import { configured, type FakeTask, fakeTask, recorded } from '../support/fake-task.ts'

function onDisk(task: FakeTask) {
  return JSON.parse(readFileSync(join(task.dir, 'task.json'), 'utf8')) as {
    spec: { delivered: number }
    snapshot: { value: string }
  }
}

const ended = (task: FakeTask) =>
  markExited(configured(), task.file.spec.request.key, lostOutcome('gone', 5), null)

describe('the file of a task', () => {
  it('is there, with its directory, once the intent is written, and not before', () => {
    const task = fakeTask()
    assert.deepEqual([task.file.isWritten, existsSync(task.dir)], [false, false])
    recorded(task)
    assert.deepEqual([task.file.isWritten, onDisk(task).snapshot.value], [true, 'configured'])
  })

  it('joins what is to be saved soon in one write', async () => {
    const task = recorded(fakeTask())
    const stamp = task.state.stamp(task.file.spec.request.key)
    task.view.delivered = 1
    task.file.saveSoon()
    task.view.delivered = 2
    task.file.saveSoon()
    assert.equal(task.state.stamp(task.file.spec.request.key), stamp)
    await sleep(100)
    assert.equal(onDisk(task).spec.delivered, 2)
  })

  it('has in the intent what was to be saved soon before it, and writes that no second time', async () => {
    const task = fakeTask()
    task.view.delivered = 1
    task.file.saveSoon()
    recorded(task)
    const stamp = task.state.stamp(task.file.spec.request.key)
    // As late as what is saved after it, whose timer was set later.
    const next = recorded(fakeTask())
    next.view.delivered = 2
    next.file.saveSoon()
    await eventually(() => assert.equal(onDisk(next).spec.delivered, 2))
    assert.equal(onDisk(task).spec.delivered, 1)
    assert.equal(task.state.stamp(task.file.spec.request.key), stamp)
  })

  it('does not put the state of one that is removed into words where a record says its end', () => {
    const task = recorded(fakeTask())
    const persisted = () => assert.fail('nothing is to be stored')
    const view = { actor: { persisted, isRecorded: true }, delivered: () => 3 }
    const file = new TaskFile(task.state, view, task.file.spec, false)
    file.saveSoon()
    file.close()
  })

  it('does not go back behind what another supervisor has written', () => {
    const task = recorded(fakeTask())
    const { spec } = task.file
    const actor = { persisted: () => ended(task), isRecorded: true }
    const other = new TaskFile(task.state, { actor, delivered: () => 3 }, spec, false)
    other.saveNow()
    task.file.saveNow()
    assert.equal(onDisk(task).snapshot.value, 'exited')
    assert.equal(task.file.stored()?.value, 'exited')
  })

  it('writes nothing of a machine that was stopped, nor after it was closed', () => {
    const task = recorded(fakeTask())
    const before = onDisk(task)
    task.view.delivered = 9
    task.view.snapshot = null
    task.file.saveNow()
    assert.deepEqual(onDisk(task), before)
    task.view.snapshot = configured()
    task.file.close()
    task.file.saveNow()
    assert.deepEqual(onDisk(task), before)
  })

  it('throws nothing when its directory has been removed', () => {
    const task = recorded(fakeTask())
    rmSync(task.dir, { recursive: true })
    task.file.saveNow()
    assert.equal(task.file.stored(), null)
  })
})
