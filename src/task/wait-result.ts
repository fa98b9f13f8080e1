import { limitsHitIn, type Outcome, uncounted } from '../../machines/index.ts'
import type { WaitResult } from '../api.ts'
import { fromFailure } from '../errors.ts'
import { nameOfSignal } from '../signals.ts'

/**
 * The outcome as its readers want it: signals by name, times as Dates. A new object each time, so that no
 * reader can change another's.
 */
export function toWaitResult(outcome: Outcome): WaitResult {
  const error = outcome.failure === null ? null : fromFailure(outcome.failure)
  const signal = outcome.signal === null ? null : nameOfSignal(outcome.signal)
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
    usage: outcome.usage && { memoryPeakBytes: null, memoryLimitBytes: null, ...outcome.usage },
    logsComplete: outcome.logsComplete,
    limitsHit: { ...(outcome.limitsHit ?? unknown) },
    successful: outcome.exitCode === 0 && signal === null && error === null,
  }
}

/** Of an end that nobody has written down. */
const unknown = limitsHitIn({ oomKills: null, limitsHit: uncounted })
