import type { TaskState } from './types.ts'

/** A task's state, with the time between START and the word that the program runs told apart. */
export type Phase = TaskState | 'launching'

export const phases: readonly Phase[] = [
  'configured',
  'limited',
  'launching',
  'running',
  'stopping',
  'exited',
]

/** The calls of the Executor interface whose answer depends on the phase. */
export type Call =
  | 'limit'
  | 'configureTaskDir'
  | 'start'
  | 'open'
  | 'id'
  | 'wait'
  | 'signal'
  | 'shutdown'
  | 'forceStop'
  | 'update'
  | 'usage'
  | 'logs$'
  | 'exec'
  | 'destroy'

/**
 * - `goes to X`: allowed, and the task is in X once it has worked.
 * - `stays`: allowed, changes no state.
 * - `idempotent`: nothing to do any more; answers with what is already so.
 * - `refused`: HoldfastError INVALID_STATE, with `refusal(phase, call)` as message.
 */
export type Decision =
  `goes to ${TaskState}` | 'goes to its recorded state' | 'stays' | 'idempotent' | 'refused'

/** Every call in every phase. */
export const decisions: Readonly<Record<Phase, Readonly<Record<Call, Decision>>>> = {
  configured: {
    limit: 'goes to limited',
    configureTaskDir: 'stays',
    start: 'goes to running',
    open: 'goes to its recorded state',
    id: 'refused',
    wait: 'refused',
    signal: 'refused',
    shutdown: 'refused',
    forceStop: 'refused',
    update: 'refused',
    usage: 'refused',
    logs$: 'refused',
    exec: 'refused',
    destroy: 'stays',
  },
  limited: {
    // A second limit() replaces the first.
    limit: 'stays',
    configureTaskDir: 'stays',
    start: 'goes to running',
    // The limits set here would silently not be those of the task taken over.
    open: 'refused',
    id: 'refused',
    wait: 'refused',
    signal: 'refused',
    shutdown: 'refused',
    forceStop: 'refused',
    update: 'refused',
    usage: 'refused',
    logs$: 'refused',
    exec: 'refused',
    destroy: 'stays',
  },
  launching: {
    limit: 'refused',
    configureTaskDir: 'refused',
    start: 'refused',
    open: 'refused',
    id: 'stays',
    wait: 'stays',
    // There may be no process yet: a signal could get lost, a stop is remembered.
    signal: 'refused',
    shutdown: 'goes to stopping',
    forceStop: 'goes to stopping',
    update: 'refused',
    usage: 'refused',
    logs$: 'stays',
    exec: 'refused',
    destroy: 'goes to exited',
  },
  running: {
    limit: 'refused',
    configureTaskDir: 'refused',
    start: 'refused',
    open: 'refused',
    id: 'stays',
    wait: 'stays',
    signal: 'stays',
    shutdown: 'goes to stopping',
    forceStop: 'goes to stopping',
    update: 'stays',
    usage: 'stays',
    logs$: 'stays',
    exec: 'stays',
    destroy: 'goes to exited',
  },
  stopping: {
    limit: 'refused',
    configureTaskDir: 'refused',
    start: 'refused',
    open: 'refused',
    id: 'stays',
    wait: 'stays',
    signal: 'stays',
    // The deadline can come nearer, never move away; the first reason and signal stay.
    shutdown: 'stays',
    forceStop: 'stays',
    // More memory may be just what an orderly end needs.
    update: 'stays',
    usage: 'stays',
    logs$: 'stays',
    exec: 'refused',
    destroy: 'goes to exited',
  },
  exited: {
    limit: 'refused',
    configureTaskDir: 'refused',
    start: 'refused',
    open: 'refused',
    id: 'stays',
    wait: 'stays',
    signal: 'refused',
    shutdown: 'idempotent',
    forceStop: 'idempotent',
    update: 'refused',
    usage: 'refused',
    logs$: 'stays',
    exec: 'refused',
    destroy: 'stays',
  },
}

/** The phase a snapshot (live or persisted) of the task machine is in. */
export function phaseOf(snapshot: {
  readonly value: TaskState
  readonly context: { readonly launching: boolean }
}): Phase {
  return snapshot.value === 'limited' && snapshot.context.launching ? 'launching' : snapshot.value
}

export function decide(phase: Phase, call: Call): 'allowed' | 'idempotent' | 'refused' {
  const decision = decisions[phase][call]
  return decision === 'refused' || decision === 'idempotent' ? decision : 'allowed'
}

/** One sentence that says what was called when, and when it may be called. */
export function refusal(phase: Phase, call: Call): string {
  const allowed = phases.filter(other => decide(other, call) === 'allowed')
  return `${call}() is refused: ${situation[phase]}. It is possible while the task is ${list(allowed)}.`
}

const situation: Record<Phase, string> = {
  configured: 'the task has not been started',
  limited: 'the task has limits but has not been started',
  launching: 'the task is being started',
  running: 'the task is running',
  stopping: 'the task is being stopped',
  exited: 'the task has ended',
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
