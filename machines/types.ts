/**
 * The vocabulary of a task's life. Everything here is plain JSON: it is stored in snapshots and records,
 * and crosses from one supervisor to the next.
 */

/** The five states of a task, in the order they are passed. */
export type TaskState = 'configured' | 'limited' | 'running' | 'stopping' | 'exited'

export const taskStates: readonly TaskState[] = ['configured', 'limited', 'running', 'stopping', 'exited']

/** Why a task ended, as far as the evidence allows. */
export type Cause =
  'exited' | 'signaled' | 'shutdown' | 'forced' | 'oom' | 'timeout' | 'output' | 'startFailed' | 'lost'

/** Codes of {@link Failure} and of HoldfastError. */
export type FailureCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_STATE'
  | 'NOT_FOUND'
  | 'START_FAILED'
  | 'LIMIT_FAILED'
  | 'ISOLATION_FAILED'
  | 'STATE_CORRUPT'
  | 'UNSUPPORTED'
  | 'LOST'
  | 'PERMISSION'

/** An error as data: what a HoldfastError becomes in a snapshot or a record. */
export type Failure = {
  readonly code: FailureCode
  readonly message: string
  /** The step that failed: `cgroup`, `namespace`, `mount`, `user`, `chdir`, `exec`, ... */
  readonly stage?: string
  /** The errno's name, such as `ENOENT`. */
  readonly errno?: string
  readonly path?: string
  /** What would mend it. */
  readonly hint?: string
}

/** A process named so that a reused pid cannot be taken for it. Times are field 22 of /proc/pid/stat, in clock ticks since boot. */
export type ProcessIdentity = {
  readonly pid: number
  readonly startTime: number
}

/** start.json: written by the shim before the start is reported. */
export type StartRecord = {
  readonly format: 'holdfast.start'
  readonly version: 1
  readonly shim: ProcessIdentity
  readonly task: ProcessIdentity
  /** PID 1 of the task's pid namespace; null where the task shares the host's. */
  readonly init: ProcessIdentity | null
  /** /proc/sys/kernel/random/boot_id; empty where the system has none. */
  readonly bootId: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** The cgroup directories the shim made for the task, the first one being the one whose membership counts. */
  readonly cgroups: readonly string[]
}

/**
 * What was asked of the shim before the task ended; the first request gives the reason, a later force only the time. `orphaned` is the
 * shim's own doing: the supervisor that the task was not to outlive is gone.
 */
export type StopRecord = {
  readonly reason: 'shutdown' | 'force' | 'timeout' | 'output' | 'orphaned'
  /** The signal's number; 9 for a force and for an orphan. */
  readonly signal: number
  readonly at: number
  /** When SIGKILL was sent, if it was. */
  readonly forcedAt: number | null
}

/** exit.json: written by the shim when nothing of the task is left (or the survivors are named). */
export type ExitRecord = {
  readonly format: 'holdfast.exit'
  readonly version: 1
  /** Exit code, or null when killed by a signal or never started. */
  readonly exitCode: number | null
  /** Signal number, or null. */
  readonly signal: number | null
  readonly coreDumped: boolean
  /** From wait4: the leader and the descendants it waited for. Null where the platform cannot tell. */
  readonly rusage: { readonly userUs: number; readonly systemUs: number; readonly maxRssKb: number } | null
  readonly startedAt: number | null
  readonly exitedAt: number
  /** The cgroup's own oom_kill counter at the end; null where there is none. */
  readonly oomKills: number | null
  readonly stop: StopRecord | null
  /** Pids of the task that outlived every attempt to kill them. */
  readonly survivors: readonly number[]
  readonly logsComplete: boolean
  /** Read when nothing of the task was left. */
  readonly limitsHit: LimitCounts
  /** Set when the task never ran. */
  readonly failure: { readonly stage: string; readonly errno: number; readonly detail: string } | null
}

/** How often limits held a task up, since its start. Each null where nobody counts. */
export type LimitCounts = {
  readonly pidsRefused: number | null
  readonly memoryHigh: number | null
  readonly throttledUs: number | null
  readonly egressDenied: number | null
  readonly logBytesDropped: number | null
}

/** Of a shim that counts none. */
export const uncounted: LimitCounts = {
  pidsRefused: null,
  memoryHigh: null,
  throttledUs: null,
  egressDenied: null,
  logBytesDropped: null,
}

/** How a task ended, as data. The executor's WaitResult is made from this. */
export type Outcome = {
  readonly exitCode: number | null
  readonly signal: number | null
  readonly coreDumped: boolean
  readonly oomKilled: boolean
  readonly cause: Cause
  readonly evidence: 'record' | 'inferred'
  readonly failure: Failure | null
  readonly startedAt: number | null
  readonly exitedAt: number | null
  readonly usage: {
    readonly cpuUserMs: number
    readonly cpuSystemMs: number
    readonly maxRssBytes: number
  } | null
  readonly logsComplete: boolean
  readonly survivors: readonly number[]
  /** Absent: an end that nobody has written down, or a supervisor before this was kept. */
  readonly limitsHit?: LimitsHit
}

/** As in WaitResult. */
export type LimitsHit = {
  readonly oomKills: number | null
  readonly pidsRefused: number | null
  readonly memoryHigh: number | null
  readonly throttledMs: number | null
  readonly egressDenied: number | null
  readonly logBytesDropped: number | null
}
