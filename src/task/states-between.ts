import { type TaskState, taskStates } from '../../machines/index.ts'

/**
 * The states passed on the way, the last one included. The machine may pass through `running` within one step (a stop that came during
 * the launch), which its subscribers do not see.
 */
export function statesBetween(from: TaskState, to: TaskState): readonly TaskState[] {
  if (from === to) return []
  return from === 'limited' && to === 'stopping' ? taskStates.slice(2, 4) : [to]
}
