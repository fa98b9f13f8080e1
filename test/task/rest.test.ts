import { strict as assert } from 'node:assert'
import type { StoredSnapshot } from '../../machines/index.ts'
import { rest } from '../../src/task/rest.ts'
import type { TaskActor } from '../../src/task/task-actor.ts'
import type { TaskProcess } from '../../src/task/task-process.ts'
import { configured } from '../support/fake-task.ts'

describe('a stored task rests', () => {
  const running = (context: Partial<StoredSnapshot['context']> = {}): StoredSnapshot => {
    const stored = configured()
    return { ...stored, value: 'running', context: { ...stored.context, ...context } }
  }
  const stop = { signal: 'SIGTERM', graceMs: 5, killAt: 9, requestedAt: 4 } as unknown as NonNullable<
    StoredSnapshot['context']['stop']
  >
  let watched: number

  function tried(snapshot: StoredSnapshot, mayRest = true, canBeWatched = true): boolean {
    watched = 0
    const process = {
      mayRest: () => mayRest,
      untilEnd: () => {
        if (!canBeWatched) throw new Error('no descriptors')
        watched++
        return () => {}
      },
    } as unknown as TaskProcess
    const actor = {
      rest: (watch: (onEnd: () => void) => () => void) => void watch(() => {}),
    } as unknown as TaskActor
    return rest(actor, process, snapshot)
  }

  it('while it runs and nothing but its end is waited for', () => {
    assert.equal(tried(running()), true)
    assert.equal(watched, 1)
  })

  it('not in another state, with a stop under way, or with a watch that has failed', () => {
    const failure = { code: 'LOST', message: 'x' } as StoredSnapshot['context']['watchFailure']
    for (const other of [
      configured(),
      { ...running(), value: 'stopping' as const },
      running({ stop }),
      running({ watchFailure: failure }),
    ]) {
      assert.equal(tried(other), false)
      assert.equal(watched, 0)
    }
  })

  it('not when its process is ours or has a limit of its wall time, or when it cannot be watched', () => {
    assert.equal(tried(running(), false), false)
    assert.equal(tried(running(), true, false), false)
  })
})
