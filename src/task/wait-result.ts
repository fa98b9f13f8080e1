import { constants } from 'node:os'
import type { Outcome } from '../../machines/index.ts'
import type { WaitResult } from '../api.ts'
import { fromFailure } from '../errors.ts'

/** The outcome as its readers want it: signals by name, times as Dates. A new object each time, so that no reader can change another's. */
export function toWaitResult(outcome: Outcome): WaitResult {
  const error = outcome.failure === null ? null : fromFailure(outcome.failure)
  const signal = outcome.signal === null ? null : signalName(outcome.signal)
  return {
    exitCode: outcome.exitCode,
    signal,
    coreDumped: outcome.coreDumped,
    oomKilled: outcome.oomKilled,
    cause: outcome.cause,
    evidence: outcome.evidence,
    error,
    startedAt: outcome.startedAt === null ? null : new Date(outcome.startedAt),
    exitedAt: outcome.exitedAt === null ? null : new Date(outcome.exitedAt),
    usage: outcome.usage && { ...outcome.usage },
    logsComplete: outcome.logsComplete,
    successful: outcome.exitCode === 0 && signal === null && error === null,
  }
}

const names = new Map<number, NodeJS.Signals>()
for (const [name, number] of Object.entries(constants.signals)) {
  // SIGIOT and SIGPOLL are second names; the first one listed is the usual one.
  if (!names.has(number)) names.set(number, name as NodeJS.Signals)
}

/** Real-time signals have no name in Node; they read `SIGRTMIN+n`, as kill -l has them. */
export function signalName(number: number): NodeJS.Signals {
  return names.get(number) ?? (`SIGRTMIN+${number - 34}` as NodeJS.Signals)
}
