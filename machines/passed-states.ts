import { type InState, stateOf } from './phase.ts'
import type { TaskContext } from './task-types.ts'
import type { TaskState } from './types.ts'

/**
 * The changes of state that a task has made, in order: the n-th one has the sequence number n. All of them
 * follow from what is stored, so that whoever takes a task over numbers them as its predecessor did, those
 * included that were passed through within one step, or while nobody looked.
 */
export function passedStates(
  snapshot: InState & { readonly context: Pick<TaskContext, 'start' | 'stop' | 'outcome'> },
): readonly TaskState[] {
  const state = stateOf(snapshot)
  const { start, stop, outcome } = snapshot.context
  if (state === 'configured') return []
  // An exit record proves a start by itself, even where the start record has been damaged.
  const ran = start !== null || typeof outcome?.startedAt === 'number'
  const passed: TaskState[] = ['limited']
  if (ran) passed.push('running')
  // A stop asked for during a launch that failed has stopped nothing.
  if (ran && stop !== null && state !== 'running') passed.push('stopping')
  if (state === 'exited') passed.push('exited')
  return passed
}
