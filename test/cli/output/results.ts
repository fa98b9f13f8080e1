import type { Enforcement, LimitsHit, WaitResult } from '../../../src/index.ts'

const begun = Date.UTC(2026, 0, 31, 12)

/** Nobody has counted. */
export const uncounted: LimitsHit = {
  ...{ oomKills: null, pidsRefused: null, memoryHigh: null },
  ...{ throttledMs: null, egressDenied: null, logBytesDropped: null },
}

/** Of a program that has exited with 0 after a second and a half, but for what is said otherwise. */
export function resultOf(otherwise: Partial<WaitResult> = {}): WaitResult {
  const result: WaitResult = {
    exitCode: 0,
    signal: null,
    coreDumped: false,
    oomKilled: false,
    cause: 'exited',
    evidence: 'record',
    error: null,
    startedAt: new Date(begun),
    exitedAt: new Date(begun + 1500),
    usage: null,
    logsComplete: true,
    limitsHit: uncounted,
    successful: true,
    ...otherwise,
  }
  return { ...result, successful: result.exitCode === 0 && result.error === null }
}

/** A limit that is enforced, but for what is said otherwise. */
export function rowOf(name: string, requested: string, otherwise: Partial<Enforcement> = {}): Enforcement {
  return {
    ...{ name, kind: 'limit', requested, status: 'enforced', reason: null, hint: null, chosen: true },
    ...otherwise,
  }
}
