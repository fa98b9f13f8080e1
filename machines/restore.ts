import { type Actor, type ActorOptions, createActor, type Snapshot, transition } from 'xstate'
import type { Outcome } from './outcome-types.ts'
import type { StartRecord } from './shim-records.ts'
import type { StoredSnapshot } from './stored-snapshot.ts'
import { taskMachine } from './task.ts'

/**
 * The actor of a stored task, not yet started. `machine` is taskMachine with its actors provided; `stored`
 * has passed `migrate`.
 */
export function restoreTask(
  machine: typeof taskMachine,
  stored: StoredSnapshot,
  options: Omit<ActorOptions<typeof taskMachine>, 'snapshot' | 'input'> = {},
): Actor<typeof taskMachine> {
  // A copy, because XState revives actors inside the object it is given. The input is demanded by the types
  // and never looked at.
  const snapshot = JSON.parse(JSON.stringify(stored)) as Snapshot<unknown>
  const actor = createActor(machine, { ...options, snapshot, input: { name: stored.context.name } })
  // XState keeps what an actor was made of and never looks at it again: among thousands of tasks, that is
  // memory.
  Object.assign(actor.options, { snapshot: undefined })
  return actor
}

/** The actor's state as JSON. Ask before `actor.stop()`: afterwards it is that of a dead actor. */
export function persistTask(actor: Actor<typeof taskMachine>): StoredSnapshot {
  return JSON.parse(JSON.stringify(actor.getPersistedSnapshot())) as StoredSnapshot
}

/**
 * The stored snapshot of a task whose end became known while nobody looked: the same in state `exited`. No
 * actor runs for it, so that nothing is launched, watched or signalled on behalf of a task that is gone. An
 * end already stored stays. `start` is the record of its start unless that failed: with it the task has
 * passed `running`, whether anybody had written that down or not.
 */
export function markExited(
  stored: StoredSnapshot,
  key: string,
  outcome: Outcome,
  start: StartRecord | null = null,
): StoredSnapshot {
  const before = restoreTask(taskMachine, stored).getSnapshot()
  const [after] = transition(taskMachine, before, { type: 'RECOVER', key, outcome, start })
  return JSON.parse(JSON.stringify(taskMachine.getPersistedSnapshot(after))) as StoredSnapshot
}
