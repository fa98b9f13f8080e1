import { failure, type Outcome, outcome } from './outcome-types.ts'
import { finite, flag, nullable, object, oneOf, optional, text, type ValueOf } from './shape.ts'
import { type StartRecord, startRecord } from './shim-records.ts'

/**
 * An instant on the clock that nobody sets: milliseconds since the boot that has this id (CLOCK_BOOTTIME).
 */
export type BootTime = ValueOf<typeof bootTime>
const bootTime = object({ id: text, at: finite })

/**
 * A stop that was asked for. The first request gives reason and signal; later ones can only bring `killAt`
 * nearer.
 */
export type StopRequest = ValueOf<typeof stopRequestShape>
const stopRequestShape = object({
  reason: oneOf('shutdown', 'force'),
  /** The signal's name; `SIGKILL` for a force. */
  signal: text,
  /** Milliseconds since the epoch. */
  requestedAt: finite,
  /**
   * When the whole tree is killed, in milliseconds since the epoch: absolute, so that it survives a restore.
   */
  killAt: finite,
  /**
   * The same instant, by which it is kept during this boot: the other clock may be set, or be another's.
   * Absent where none is known.
   */
  killAtBoot: optional(bootTime),
  /** Who gets the signal. Absent: the leader's process group. */
  target: optional(oneOf('leader')),
})

/** Plain JSON: `context` equals `JSON.parse(JSON.stringify(context))` at every step. */
export type TaskContext = ValueOf<typeof taskContext>
export const taskContext = object({
  name: text,
  /** The name of the task's record directory; null until START. */
  key: nullable(text),
  /** Limits were asked for. What they are is in the stored request. */
  limits: flag,
  startRequestedAt: nullable(finite),
  start: nullable(startRecord),
  stop: nullable(stopRequestShape),
  /** Why the last attempt to stop the task did not reach it. RETRY tries again. */
  stopFailure: nullable(failure),
  /** Why nobody watches the task. RETRY watches again. */
  watchFailure: nullable(failure),
  outcome: nullable(outcome),
})

export type TaskInput = { readonly name: string }

/**
 * Times (`at`) are milliseconds since the epoch, `boot` is the same instant since boot; the machine never
 * looks at a clock.
 */
export type TaskEvent =
  /** Limits are chosen; a second time replaces the first. */
  | { readonly type: 'LIMIT' }
  /** The task directory is chosen, and with it the name. */
  | { readonly type: 'CONFIGURE'; readonly name: string }
  /** `name`: of a task that has none yet. */
  | { readonly type: 'START'; readonly key: string; readonly at: number; readonly name?: string }
  | {
      readonly type: 'STOP'
      readonly signal: string
      readonly graceMs: number
      readonly at: number
      readonly boot?: BootTime
      /** Absent: the leader's process group. */
      readonly target?: 'leader'
    }
  | { readonly type: 'KILL'; readonly at: number; readonly boot?: BootTime }
  /**
   * Nothing of the task is left, or nobody can tell any more (an outcome with cause `lost`). `stop`: another
   * supervisor of the same task was stopping it, so that it has passed `stopping`.
   */
  | {
      readonly type: 'EXITED'
      readonly outcome: Outcome
      readonly at: number
      readonly stop?: StopRequest | null
    }
  /**
   * The end of a task, found out while no actor ran for it: see markExited. `start`: the record of its start,
   * where it has run.
   */
  | {
      readonly type: 'RECOVER'
      readonly key: string
      readonly outcome: Outcome
      readonly start: StartRecord | null
    }
  /**
   * Starts again whichever of `watch` and `stop` has failed. Harmless at any time; send it after each
   * restore.
   */
  | { readonly type: 'RETRY' }
  | { readonly type: 'xstate.done.actor.launch'; readonly output: LaunchOutput }
  | { readonly type: 'xstate.error.actor.launch'; readonly error: unknown }
  | { readonly type: 'xstate.error.actor.watch'; readonly error: unknown }

export type LaunchInput = ValueOf<typeof keyed>
export type LaunchOutput = { readonly start: StartRecord }
export type WatchInput = ValueOf<typeof keyed>
const keyed = object({ key: text })

export type StopInput = ValueOf<typeof stopInputShape>
const stopInputShape = object({
  key: text,
  signal: text,
  killAt: finite,
  killAtBoot: optional(bootTime),
  target: optional(oneOf('leader')),
})

/** What is stored with each actor, and given to it again. */
export const actorInputs = { launch: keyed, watch: keyed, stop: stopInputShape }
