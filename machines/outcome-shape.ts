import { isBoolean, isNumber, isText, listOf, orAbsent, orNull, shape } from './shape.ts'
import type { Outcome } from './types.ts'

export function isOutcome(value: unknown): value is Outcome {
  return outcomeShape(value)
}

export const isFailure = shape({ code: isText, message: isText })

const outcomeShape = shape({
  exitCode: orNull(isNumber),
  signal: orNull(isNumber),
  coreDumped: isBoolean,
  oomKilled: isBoolean,
  cause: isText,
  evidence: isText,
  failure: orNull(isFailure),
  startedAt: orNull(isNumber),
  exitedAt: orNull(isNumber),
  usage: orNull(shape({ cpuUserMs: isNumber, cpuSystemMs: isNumber, maxRssBytes: isNumber })),
  logsComplete: isBoolean,
  survivors: listOf(isNumber),
  limitsHit: orAbsent(
    shape({
      oomKills: orNull(isNumber),
      pidsRefused: orNull(isNumber),
      memoryHigh: orNull(isNumber),
      throttledMs: orNull(isNumber),
      egressDenied: orNull(isNumber),
      logBytesDropped: orNull(isNumber),
    }),
  ),
})
