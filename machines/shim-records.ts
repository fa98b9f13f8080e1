import {
  defaulted,
  flag,
  integer,
  listOf,
  nullable,
  object,
  oneOf,
  plain,
  text,
  type ValueOf,
} from './shape.ts'

const pid = integer(1, 0x7fffffff)
const count = integer(0)
const epochMs = integer(0, 8.64e15)
const signalNumber = integer(1, 64)
/** They will be removed: nothing but a plain absolute path can have been meant. */
const cgroupPath = plain<string>('an absolute path without ..', value => {
  if (typeof value !== 'string' || !value.startsWith('/') || value.includes('\0')) return false
  return !value.split('/').includes('..')
})

/**
 * A process named so that a reused pid cannot be taken for it. Times are field 22 of /proc/pid/stat, in clock
 * ticks since boot.
 */
export type ProcessIdentity = ValueOf<typeof processIdentity>
const processIdentity = object({ pid, startTime: count })

/** start.json: written by the shim before the start is reported. */
export type StartRecord = ValueOf<typeof startRecord>
export const startRecord = object({
  format: oneOf('holdfast.start'),
  version: oneOf(1),
  shim: processIdentity,
  task: processIdentity,
  /** PID 1 of the task's pid namespace; null where the task shares the host's. */
  init: nullable(processIdentity),
  /** /proc/sys/kernel/random/boot_id; empty where the system has none. */
  bootId: plain<string>('a text of at most 128 characters', value => {
    return typeof value === 'string' && value.length <= 128
  }),
  /** Milliseconds since the epoch. */
  startedAt: epochMs,
  /**
   * The cgroup directories the shim made for the task, the first one being the one whose membership counts.
   */
  cgroups: listOf(cgroupPath),
})

/**
 * What was asked of the shim before the task ended; the first request gives the reason, a later force only
 * the time. `orphaned` is the shim's own doing: the supervisor that the task was not to outlive is gone.
 */
export type StopRecord = ValueOf<typeof stopRecord>
const stopRecord = object({
  reason: oneOf('shutdown', 'force', 'timeout', 'output', 'orphaned'),
  /** The signal's number; 9 for a force and for an orphan. */
  signal: signalNumber,
  at: epochMs,
  /** When SIGKILL was sent, if it was. */
  forcedAt: nullable(epochMs),
})

/** How often limits held a task up, since its start. Each null where nobody counts. */
export type LimitCounts = ValueOf<typeof limitCounts>
const limitCounts = object({
  pidsRefused: nullable(count),
  memoryHigh: nullable(count),
  throttledUs: nullable(count),
  egressDenied: nullable(count),
  logBytesDropped: nullable(count),
})

/** Of a shim that counts none. */
export const uncounted: LimitCounts = {
  pidsRefused: null,
  memoryHigh: null,
  throttledUs: null,
  egressDenied: null,
  logBytesDropped: null,
}

/** Bytes of its cgroup: the most in use at once, and the limit at its end; null where nobody knows. */
export type MemoryAtEnd = ValueOf<typeof memoryAtEnd>
const memoryAtEnd = object({ peakBytes: nullable(count), limitBytes: nullable(count) })

/** Of a task without a cgroup of its own for memory. */
export const unmeasured: MemoryAtEnd = { peakBytes: null, limitBytes: null }

/** exit.json: written by the shim when nothing of the task is left (or the survivors are named). */
export type ExitRecord = ValueOf<typeof exitRecord>
export const exitRecord = object(
  {
    format: oneOf('holdfast.exit'),
    version: oneOf(1),
    /**
     * Exit code, or null when killed by a signal or never started. Windows, where only the portable shim
     * runs, has 32 bits of it.
     */
    exitCode: nullable(integer(0, 0xffffffff)),
    /** Signal number, or null. */
    signal: nullable(signalNumber),
    coreDumped: flag,
    /** From wait4: the leader and the descendants it waited for. Null where the platform cannot tell. */
    rusage: nullable(object({ userUs: count, systemUs: count, maxRssKb: count })),
    startedAt: nullable(epochMs),
    exitedAt: epochMs,
    /** The cgroup's own oom_kill counter at the end; null where there is none. */
    oomKills: nullable(count),
    stop: nullable(stopRecord),
    /** Pids of the task that outlived every attempt to kill them. */
    survivors: listOf(pid),
    logsComplete: flag,
    /**
     * Read when nothing of the task was left. A shim that was started by an earlier version does not count.
     */
    limitsHit: defaulted(limitCounts, uncounted),
    memory: defaulted(memoryAtEnd, unmeasured),
    /** Set when the task never ran. */
    failure: nullable(
      object({ stage: plain<string>('the name of a step', isWord), errno: count, detail: text }),
    ),
  },
  ({ exitCode, signal, failure, survivors, coreDumped }) => {
    const ends = [exitCode, signal, failure].filter(end => end !== null).length
    // A leader that could not be killed has not ended: then it is named instead.
    if (ends !== 1 && (ends > 0 || survivors.length === 0))
      return 'exactly one of exitCode, signal and failure says how it ended'
    return coreDumped && signal === null ? 'a core dump without a signal' : null
  },
)

function isWord(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
