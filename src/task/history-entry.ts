import type { TaskContext, TaskState } from '../../machines/index.ts'
import type { HistoryEntry } from '../api.ts'
import { nameOfSignal } from '../signals.ts'

export type Change = { readonly from: TaskState; readonly to: TaskState; readonly sequence: number }

/**
 * A change of state as the journal has it. All but the time of an end that nobody knows follows from what is
 * stored, so that whoever takes a task over writes what its predecessor did not come to write. No message and
 * no path: a path may have been put together from the environment.
 */
export function changeEntry(change: Change, context: TaskContext, now: number): HistoryEntry {
  const at = new Date(timeOf(change.to, context) ?? now)
  const { sequence, from, to } = change
  return { sequence, at, from, to, ...causeOf(change, context) }
}

/** An event that changes no state. */
export function noteEntry(
  state: TaskState,
  event: string,
  details: Pick<HistoryEntry, 'signal' | 'graceMs' | 'failure'>,
): HistoryEntry {
  return { sequence: null, at: new Date(), from: state, to: state, event, ...details }
}

function timeOf(to: TaskState, { startRequestedAt, start, stop, outcome }: TaskContext): number | null {
  if (to === 'limited') return startRequestedAt
  if (to === 'running') return start?.startedAt ?? outcome?.startedAt ?? null
  if (to === 'stopping') return stop?.requestedAt ?? null
  return outcome?.exitedAt ?? null
}

function causeOf(
  { from, to }: Change,
  { limits, stop, outcome }: TaskContext,
): Omit<HistoryEntry, 'sequence' | 'at' | 'from' | 'to'> {
  if (to === 'limited') return { event: limits ? 'LIMIT' : 'START' }
  if (to === 'running') return { event: 'launch done' }
  if (to === 'stopping') {
    if (stop === null || stop.reason === 'force') return { event: 'KILL', signal: 'SIGKILL' }
    const signal = stop.signal as NodeJS.Signals
    return { event: 'STOP', signal, graceMs: stop.killAt - stop.requestedAt }
  }
  if (outcome === null) return { event: 'EXITED' }
  const { cause, evidence, exitCode, oomKilled, failure } = outcome
  return {
    event: cause === 'startFailed' && from === 'limited' ? 'launch failed' : 'EXITED',
    cause,
    evidence,
    exitCode,
    signal: outcome.signal === null ? null : nameOfSignal(outcome.signal),
    oomKilled,
    ...(failure !== null && { failure: withoutMessage(failure) }),
  }
}

export function withoutMessage({ code, stage, errno }: NonNullable<HistoryEntry['failure']>) {
  return { code, ...(stage !== undefined && { stage }), ...(errno !== undefined && { errno }) }
}
