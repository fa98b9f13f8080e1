import { strict as assert } from 'node:assert'
import type { Launched, TaskEnd, WatchEnd } from '../../src/spawn/spawner.ts'
import { untilCleared } from '../../src/task/until-cleared.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { fakeTask, recorded } from '../support/fake-task.ts'

/** A shim that has said `end`, and how to say that it is gone. */
function said(end: TaskEnd | null): { launched: Launched; gone: (word: WatchEnd) => void } {
  let gone: (word: WatchEnd) => void = () => {}
  const launched = {
    end: end === null ? new Promise<TaskEnd>(() => {}) : Promise.resolve(end),
    gone: new Promise<WatchEnd>(resolve => (gone = resolve)),
  }
  return { launched, gone }
}

/** What has come to an end when all that could be done was done. */
async function cleared(wait: Promise<void>): Promise<boolean> {
  let done = false
  wait.then(() => (done = true)).catch(() => {})
  await new Promise(setImmediate)
  return done
}

describe('who removes an ended task', () => {
  it('waits for its shim, which removes the cgroups yet', async () => {
    const { launched, gone } = said('recorded')
    const wait = untilCleared(fakeTask(), launched)
    assert.equal(await cleared(wait), false)
    gone('gone')
    await wait
  })

  it('waits for it by its FIFO where the spawner has died meanwhile', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    const { launched, gone } = said('recorded')
    gone('unwatched')
    const wait = untilCleared(task, launched)
    assert.equal(await cleared(wait), false)
    shim.gone()
    await wait
  })

  for (const end of ['gone', 'unwatched', null] as const)
    it(`does not wait where the end was known otherwise (${end ?? 'by force'})`, () =>
      untilCleared(fakeTask(), said(end).launched))

  it('does not wait for the shim of another supervisor', () => untilCleared(fakeTask(), null))
})
