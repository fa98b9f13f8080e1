import { finite, flag, listOf, nullable, object, oneOf, optional, text, type ValueOf } from './shape.ts'

/** Why a task ended, as far as the evidence allows. */
export type Cause = ValueOf<typeof cause>
const cause = oneOf(
  'exited',
  'signaled',
  'shutdown',
  'forced',
  'oom',
  'timeout',
  'output',
  'startFailed',
  'lost',
)

/** Codes of {@link Failure} and of HoldfastError. */
export type FailureCode = ValueOf<typeof failureCode>
export const failureCode = oneOf(
  'INVALID_ARGUMENT',
  'INVALID_STATE',
  'NOT_FOUND',
  'START_FAILED',
  'LIMIT_FAILED',
  'ISOLATION_FAILED',
  'STATE_CORRUPT',
  'UNSUPPORTED',
  'LOST',
  'PERMISSION',
)

/** An error as data: what a HoldfastError becomes in a snapshot or a record. */
export type Failure = ValueOf<typeof failure>
export const failure = object({
  code: failureCode,
  message: text,
  /** The step that failed: `cgroup`, `namespace`, `mount`, `user`, `chdir`, `exec`, ... */
  stage: optional(text),
  /** The errno's name, such as `ENOENT`. */
  errno: optional(text),
  path: optional(text),
  /** What would mend it. */
  hint: optional(text),
})

/** As in WaitResult. */
export type LimitsHit = ValueOf<typeof limitsHit>
const limitsHit = object({
  oomKills: nullable(finite),
  pidsRefused: nullable(finite),
  memoryHigh: nullable(finite),
  throttledMs: nullable(finite),
  egressDenied: nullable(finite),
  logBytesDropped: nullable(finite),
})

/** How a task ended, as data. The executor's WaitResult is made from this. */
export type Outcome = ValueOf<typeof outcome>
export const outcome = object({
  exitCode: nullable(finite),
  signal: nullable(finite),
  coreDumped: flag,
  oomKilled: flag,
  cause,
  evidence: oneOf('record', 'inferred'),
  failure: nullable(failure),
  startedAt: nullable(finite),
  exitedAt: nullable(finite),
  usage: nullable(
    object({
      cpuUserMs: finite,
      cpuSystemMs: finite,
      maxRssBytes: finite,
      /** Absent: a supervisor before these two were kept. */
      memoryPeakBytes: optional(nullable(finite)),
      memoryLimitBytes: optional(nullable(finite)),
    }),
  ),
  logsComplete: flag,
  survivors: listOf(finite),
  /** Absent: an end that nobody has written down, or a supervisor before this was kept. */
  limitsHit: optional(limitsHit),
})
