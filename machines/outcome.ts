import { type ErrnoName, failureFrom, failureOf } from './failure.ts'
import { type Cause, type Failure, type LimitsHit, type Outcome, outcome } from './outcome-types.ts'
import type { ExitRecord } from './shim-records.ts'

const SIGKILL = 9

/**
 * What an exit record says, in the terms of the result. Nothing is made up: exit code and signal are the
 * record's own. `errnoName` names the errno of a start that failed. The cause is the first of these that
 * fits:
 *
 * | cause | when |
 * | --- | --- |
 * | `startFailed` | the record has a failure |
 * | `lost` | it has neither exit code nor signal |
 * | `timeout` | the first stop request came from the wall time limit |
 * | `output` | it came from the limit on output |
 * | `oom` | died of SIGKILL, the cgroup counted an OOM kill, and no SIGKILL of ours had been sent |
 * | `forced` | died of SIGKILL, and one of ours had been sent (grace over, a force, or its supervisor is gone) |
 * | `shutdown` | a shutdown was asked for, and it ended in any other way |
 * | `signaled` | died of a signal |
 * | `exited` | gave an exit code; also when a force came too late to matter |
 *
 * `oomKilled` is the counter's word alone: the kernel may have killed a child, and the leader exited because
 * of it.
 */
export function outcomeOf(record: ExitRecord, errnoName: ErrnoName): Outcome {
  const cause = causeOf(record)
  const ran = cause !== 'startFailed'
  return {
    exitCode: ran ? record.exitCode : null,
    signal: ran ? record.signal : null,
    coreDumped: ran && record.coreDumped,
    oomKilled: (record.oomKills ?? 0) > 0,
    cause,
    evidence: 'record',
    failure: failureIn(record, errnoName),
    startedAt: record.startedAt,
    exitedAt: record.exitedAt,
    usage: usageOf(record),
    logsComplete: record.logsComplete,
    survivors: record.survivors,
    limitsHit: limitsHitIn(record),
  }
}

/** As a task's result has them. */
export function limitsHitIn({
  oomKills,
  limitsHit: counts,
}: Pick<ExitRecord, 'oomKills' | 'limitsHit'>): LimitsHit {
  const { throttledUs, ...others } = counts
  return { oomKills, ...others, throttledMs: throttledUs === null ? null : throttledUs / 1000 }
}

/** The end of a task of which nothing is known but that it is not there any more. Every number is null. */
export function lostOutcome(reason: string, at: number | null): Outcome {
  return { ...unknownOutcome, cause: 'lost', failure: { code: 'LOST', message: reason }, exitedAt: at }
}

/**
 * The end of a task that was killed past its shim, which did not answer and left no record. Why is known, by
 * whoever did it; how the program took it is not.
 */
export function bypassedOutcome(cause: 'forced' | 'timeout', at: number | null): Outcome {
  return { ...unknownOutcome, cause, failure: null, exitedAt: at }
}

/** The end of a task that never ran, told by whoever tried to start it and not by an exit record. */
export function startFailedOutcome(failure: Failure, at: number | null): Outcome {
  // Logs of a program that never ran are complete: there were none.
  return { ...unknownOutcome, cause: 'startFailed', failure, exitedAt: at, logsComplete: true }
}

/**
 * The outcome of a launch that was rejected with `error`: its own `{ outcome }`, or one made of `{ failure,
 * at }` or of an Error.
 */
export function launchOutcome(error: unknown): Outcome {
  const details = typeof error === 'object' && error !== null ? error : {}
  if ('outcome' in details && isOutcome(details.outcome)) return details.outcome
  const at = 'at' in details ? details.at : null
  return startFailedOutcome(failureFrom(error), typeof at === 'number' && Number.isFinite(at) ? at : null)
}

function isOutcome(value: unknown): value is Outcome {
  return outcome.fault(value) === null
}

const unknownOutcome: Omit<Outcome, 'cause' | 'failure'> = {
  exitCode: null,
  signal: null,
  coreDumped: false,
  oomKilled: false,
  evidence: 'inferred',
  startedAt: null,
  exitedAt: null,
  usage: null,
  logsComplete: false,
  survivors: [],
}

function causeOf({ failure, exitCode, signal, stop, oomKills }: ExitRecord): Cause {
  if (failure !== null) return 'startFailed'
  if (exitCode === null && signal === null) return 'lost'
  if (stop?.reason === 'timeout' || stop?.reason === 'output') return stop.reason
  // shutdown({ signal: 'SIGKILL' }) is a SIGKILL of ours too, but it is the signal that was asked for, hence
  // no force.
  const forced =
    stop !== null && (stop.forcedAt !== null || stop.reason === 'force' || stop.reason === 'orphaned')
  if (signal === SIGKILL && (oomKills ?? 0) > 0 && !forced && stop?.signal !== SIGKILL) return 'oom'
  if (signal === SIGKILL && forced) return 'forced'
  if (stop?.reason === 'shutdown') return 'shutdown'
  return signal === null ? 'exited' : 'signaled'
}

function failureIn(record: ExitRecord, errnoName: ErrnoName): Failure | null {
  if (record.failure !== null) return failureOf(record.failure, errnoName)
  if (causeOf(record) !== 'lost') return null
  const { survivors } = record
  if (survivors.length > 0)
    return { code: 'LOST', message: `It was killed and did not end; still alive: ${survivors.join(', ')}` }
  return { code: 'LOST', message: 'The exit record has neither an exit code nor a signal.' }
}

function usageOf({ rusage, memory }: ExitRecord): Outcome['usage'] {
  if (rusage === null) return null
  return {
    cpuUserMs: rusage.userUs / 1000,
    cpuSystemMs: rusage.systemUs / 1000,
    maxRssBytes: rusage.maxRssKb * 1024,
    memoryPeakBytes: memory.peakBytes,
    memoryLimitBytes: memory.limitBytes,
  }
}
