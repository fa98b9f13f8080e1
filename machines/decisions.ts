import { type Phase, phases } from './phase.ts'

/** The calls of the Executor interface whose answer depends on the phase. */
export type Call = keyof typeof decisions

/**
 * What a call is in a phase. Idempotent: there is nothing to do any more; it answers with what is already so.
 */
export type Decision = 'allowed' | 'idempotent' | 'refused'

type Row = { readonly allowed: readonly Phase[]; readonly idempotent?: readonly Phase[] }

const draft = ['configured', 'limited'] as const
const alive = ['running', 'stopping'] as const
const begun = ['launching', 'running', 'stopping', 'exited'] as const
const toStop = { allowed: ['launching', 'running', 'stopping'], idempotent: ['exited'] } as const

/**
 * Every call, and the phases in which it is allowed; in all others it is refused. The executor reads this, so
 * that a refusal needs no actor. Whether a call changes a state is the machine's business; that both allow
 * the same is tested.
 */
export const decisions = {
  // A second limit() replaces the first.
  limit: { allowed: draft },
  configureTaskDir: { allowed: draft },
  start: { allowed: draft },
  // Not in `limited`: the limits set here would silently not be those of the task taken over.
  open: { allowed: ['configured'] },
  id: { allowed: begun },
  wait: { allowed: begun },
  // Not in `launching`: there may be no process yet. A signal could get lost; a stop is remembered.
  signal: { allowed: alive },
  resize: { allowed: alive },
  openInput: { allowed: alive },
  endInput: { allowed: alive },
  // In `stopping` the deadline can come nearer, never move away; the first reason and signal stay.
  shutdown: toStop,
  forceStop: toStop,
  // In `stopping`, too: more memory may be just what an orderly end needs.
  update: { allowed: alive },
  usage: { allowed: alive },
  // Of one that has ended: what is on record.
  verify: { allowed: ['running', 'stopping', 'exited'] },
  // Of one that runs: what it has changed by now.
  changes: { allowed: ['running', 'stopping', 'exited'] },
  patches: { allowed: ['running', 'stopping', 'exited'] },
  // What a task still writes is put in place half, and tested by nobody.
  apply: { allowed: ['exited'] },
  logs$: { allowed: begun },
  output$: { allowed: begun },
  egress$: { allowed: begun },
  exec: { allowed: ['running'] },
  destroy: { allowed: phases },
} as const satisfies Readonly<Record<string, Row>>

export function decide(phase: Phase, call: Call): Decision {
  const { allowed, idempotent = [] }: Row = decisions[call]
  if (allowed.includes(phase)) return 'allowed'
  return idempotent.includes(phase) ? 'idempotent' : 'refused'
}

/** One sentence that says what was called when, and when it may be called. */
export function refusal(phase: Phase, call: Call): string {
  const { allowed }: Row = decisions[call]
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
