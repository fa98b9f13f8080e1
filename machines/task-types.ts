import type { Failure, Outcome, StartRecord } from './types.ts'

/** An instant on the clock that nobody sets: milliseconds since the boot that has this id (CLOCK_BOOTTIME). */
export type BootTime = { readonly id: string; readonly at: number }

/** A stop that was asked for. The first request gives reason and signal; later ones can only bring `killAt` nearer. */
export type StopRequest = {
  readonly reason: 'shutdown' | 'force'
  /** The signal's name; `SIGKILL` for a force. */
  readonly signal: string
  /** Milliseconds since the epoch. */
  readonly requestedAt: number
  /** When the whole tree is killed, in milliseconds since the epoch: absolute, so that it survives a restore. */
  readonly killAt: number
  /** The same instant, by which it is kept during this boot: the other clock may be set, or be another's. Absent where none is known. */
  readonly killAtBoot?: BootTime
  /** Who gets the signal. Absent: the leader's process group. */
  readonly target?: 'leader'
}

/** Plain JSON: `context` equals `JSON.parse(JSON.stringify(context))` at every step. */
export type TaskContext = {
  readonly name: string
  /** The name of the task's record directory; null until START. */
  readonly key: string | null
  /** Limits were asked for. What they are is in the stored request. */
  readonly limits: boolean
  readonly startRequestedAt: number | null
  readonly start: StartRecord | null
  readonly stop: StopRequest | null
  /** Why the last attempt to stop the task did not reach it. RETRY tries again. */
  readonly stopFailure: Failure | null
  /** Why nobody watches the task. RETRY watches again. */
  readonly watchFailure: Failure | null
  readonly outcome: Outcome | null
}

export type TaskInput = { readonly name: string }

/** Times (`at`) are milliseconds since the epoch, `boot` is the same instant since boot; the machine never looks at a clock. */
export type TaskEvent =
  /** Limits are chosen; a second time replaces the first. */
  | { readonly type: 'LIMIT' }
  /** The task directory is chosen, and with it the name. */
  | { readonly type: 'CONFIGURE'; readonly name: string }
  | { readonly type: 'START'; readonly key: string; readonly at: number }
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
   * Nothing of the task is left, or nobody can tell any more (an outcome with cause `lost`). `stop`: another supervisor of the same task
   * was stopping it, so that it has passed `stopping`.
   */
  | {
      readonly type: 'EXITED'
      readonly outcome: Outcome
      readonly at: number
      readonly stop?: StopRequest | null
    }
  /** The end of a task, found out while no actor ran for it: see settleTask. `start`: the record of its start, where it has run. */
  | {
      readonly type: 'RECOVER'
      readonly key: string
      readonly outcome: Outcome
      readonly start: StartRecord | null
    }
  /** Starts again whichever of `watch` and `stop` has failed. Harmless at any time; send it after each restore. */
  | { readonly type: 'RETRY' }
  | { readonly type: 'xstate.done.actor.launch'; readonly output: LaunchOutput }
  | { readonly type: 'xstate.error.actor.launch'; readonly error: unknown }
  | { readonly type: 'xstate.error.actor.watch'; readonly error: unknown }

export type LaunchInput = { readonly key: string }
export type LaunchOutput = { readonly start: StartRecord }
export type WatchInput = { readonly key: string }
export type StopInput = {
  readonly key: string
  readonly signal: string
  readonly killAt: number
  readonly killAtBoot?: BootTime
  readonly target?: 'leader'
}
