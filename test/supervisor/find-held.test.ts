import assert from 'node:assert/strict'
import type { Executor, TaskState } from '../../src/index.ts'
import { findHeld } from '../../src/supervisor/find-held.ts'

const task = (key: string, name: string, state: TaskState) => ({ key, name, state }) as Executor

describe('the task that a supervisor finds', () => {
  const tasks = [
    task('mx3', 'web', 'exited'),
    task('mx1', 'web', 'stopping'),
    task('mx2', 'web', 'running'),
    task('mx5', 'job', 'exited'),
    task('mx4', 'job', 'exited'),
  ]

  it('by its name is the newest that has not ended, else the newest', () => {
    assert.equal(findHeld(tasks, 'web')?.key, 'mx2')
    assert.equal(findHeld([...tasks].reverse(), 'web')?.key, 'mx2')
    assert.equal(findHeld(tasks, 'job')?.key, 'mx5')
    assert.equal(findHeld(tasks, 'mx5'), undefined)
  })

  it('by what is asked of it is chosen among those that pass', () => {
    assert.equal(findHeld(tasks, ({ state }) => state !== 'exited')?.key, 'mx2')
    assert.equal(findHeld(tasks, ({ state }) => state === 'exited')?.key, 'mx5')
    assert.equal(
      findHeld(tasks, () => false),
      undefined,
    )
  })

  it('is asked for by a word or a function', () => {
    assert.throws(() => findHeld(tasks, 7 as never), /find: which.*got 7/)
  })
})
