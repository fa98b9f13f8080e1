import type { TaskState } from './types.ts'

/** A task's state, with the time between START and the word that the program runs told apart. */
export type Phase = TaskState | 'launching'

/** In the order in which they are passed. */
export const phases: readonly Phase[] = [
  'configured',
  'limited',
  'launching',
  'running',
  'stopping',
  'exited',
]

/** The state of the task machine as XState has it: `limited` has two states in it. */
export type StateValue = Exclude<TaskState, 'limited'> | { readonly limited: 'ready' | 'launching' }

/** A snapshot of the task machine, live or persisted. */
export type InState = { readonly value: StateValue }

/** The state as users see it. */
export function stateOf({ value }: InState): TaskState {
  return typeof value === 'string' ? value : 'limited'
}

export function phaseOf({ value }: InState): Phase {
  if (typeof value === 'string') return value
  return value.limited === 'launching' ? 'launching' : 'limited'
}
