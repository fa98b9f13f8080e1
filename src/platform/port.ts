import type { AskedOfKernel, EnforcedRecord, StartRecord } from '../../machines/index.ts'
import type { IdRange } from '../id-maps.ts'
import type { TaskPaths } from '../alloc/task-paths.ts'
import type { Enforcement, PlainCommand, Resources, Usage, UsageDetail, VerifiedRow } from '../api.ts'
import type { Scope } from '../spawn/scope.ts'
import type { LaunchSpec } from '../spawn/spec.ts'

export type PlatformName = 'basic' | 'linux'

/** One task as asked for: plain JSON, stored before anything is started. */
export type TaskRequest = {
  readonly key: string
  readonly name: string
  readonly platform: PlatformName
  /**
   * The caller has called for the platform by its name: what it leaves out by default was chosen. Absent: it
   * has not.
   */
  readonly byName?: boolean
  readonly command: Readonly<PlainCommand>
  /** The names of its secrets; their bytes are in no request. Absent: none. */
  readonly secrets?: readonly string[]
  /**
   * Its standard input is fed by the supervisor that starts it, through the FIFO `stdin` in the task's
   * directory.
   */
  readonly fed?: boolean
  readonly resources: Resources | null
  /**
   * Fields of `resources` that nobody asked for: defaults, which a host that cannot enforce them leaves out.
   * Absent: none.
   */
  readonly preferred?: readonly string[]
  /** The user where the command names none, and this host can give it a number of its own. Absent: none. */
  readonly preferredUser?: 'own'
  /**
   * What it can write of a root of its own is bounded: where `diskBytes` does not do it, `/local` and
   * `/alloc` are in memory. Absent: false.
   */
  readonly bounded?: boolean
  readonly alloc: TaskPaths
  /** Refuse to start rather than weaken anything. */
  readonly strict: boolean
  readonly durable: boolean
  /** The FIFO of the supervisor that the task is not to outlive; null: it outlives any. */
  readonly owner: string | null
  /** The running task that this one runs inside of; absent or null: it is one of its own. */
  readonly inside?: TargetTask | null
  /** Milliseconds between the graceful stop at the wall time limit and SIGKILL. */
  readonly graceMs: number
}

/** A running task, as far as something that runs inside of it needs to know it. Plain JSON. */
export type TargetTask = {
  readonly key: string
  readonly name: string
  /** The FIFO that its shim holds for as long as it lives. */
  readonly alive: string
  readonly start: StartRecord
  /** What every process of it is given at its start. */
  readonly rlimits: NonNullable<Resources['rlimits']>
  /**
   * What became of its isolation: who enters it has that and no other. Absent: it was stored before this was
   * kept.
   */
  readonly isolation?: readonly Enforcement[]
  /** The number that no other task has, which it runs as. Absent: it runs as a user of this host. */
  readonly ownUser?: number
}

export type { TaskPaths }

/** Where a task gets a number from that no other task and no account has. */
export interface OwnNumbers {
  /** Those that may be given out. */
  readonly range: IdRange
  /**
   * The task's number; asked again, the same. Rejects UNSUPPORTED when all are given out, PERMISSION.
   */
  claim(): Promise<number>
}

export type Plan = {
  readonly spec: LaunchSpec
  readonly enforcement: readonly Enforcement[]
  /** What bounds the allocation from before the start on; absent or null: nothing. */
  readonly disk?: DiskBound | null
}

/**
 * `project`: its directories are a project of the file system that they are in, by whose quota it is kept.
 * `image`: it is a file system of its own, in a file of the record directory.
 */
export type DiskWay = 'project' | 'image'

export type DiskBound = { readonly way: DiskWay; readonly bytes: number }

/** A task that runs, and what it was told to be. */
export type ToVerify = {
  readonly start: StartRecord
  /** Null: it was stored by a version that did not keep it. */
  readonly asked: AskedOfKernel | null
  readonly rows: readonly Enforcement[]
  readonly resources: Resources
  /** Whom it runs inside of, and what was read of that one at its start; null: nothing was. */
  readonly inside: { readonly start: StartRecord; readonly enforced: EnforcedRecord | null } | null
  /** What bounds its allocation now. Absent: nobody has looked; null: nothing is seen. */
  readonly disk?: DiskBound | null
}

/** A row, and what was read at one time. */
export type ReadRow = Omit<VerifiedRow, 'atStart'>

export interface UsageProbe {
  /** One sample. Values that cannot be known (any more) are null; `cpuPercent` is left to the caller. */
  sample(): Usage | Promise<Usage>
  /** All null without a cgroup. */
  detail(): UsageDetail
  /** Lets go of what it has kept for the next sample: there is none any more. Idempotent. */
  close(): void
}

/**
 * `spareShim`: the shim is left to write its record, should it come to. `limitMs`: how long to go on, 10 s
 * unless told otherwise.
 */
export type KillOptions = { readonly spareShim?: boolean; readonly limitMs?: number }

/** What differs between the ways to run a task. Selected once, by name; holds no state of any task. */
export interface Platform {
  readonly name: PlatformName
  /**
   * Decides everything about one start. `dir` is the task's record directory; `scope` says what became of the
   * spawner's, `numbers` where a user of the task's own is to be had. Throws HoldfastError: INVALID_ARGUMENT
   * for what can never work, PERMISSION or UNSUPPORTED for what this host or user cannot do, LIMIT_FAILED or
   * ISOLATION_FAILED when `strict` and a row would not be `enforced`.
   */
  plan(request: TaskRequest, dir: string, scope?: Scope | null, numbers?: OwnNumbers | null): Promise<Plan>
  /**
   * Gives a running task other limits: those `asked` for, of which `wanted` is what they come to with those
   * it has. Resolves to a row for each one asked for. The wall time is the caller's to pass on. Throws
   * LIMIT_FAILED when `strict` and a row would not be `enforced`, or when the kernel refuses one, and then
   * all are as they were, or the message says which are not; INVALID_STATE when the task has just ended.
   */
  update(
    request: TaskRequest,
    start: StartRecord,
    asked: Resources,
    wanted: Resources,
  ): Promise<readonly Enforcement[]>
  /**
   * Reads back from the kernel what is in force of a running task, a row for each of its rows. Null: its
   * process has just ended. Changes nothing.
   */
  inForce(task: ToVerify): readonly ReadRow[] | null
  /** The same by what the shim has read at the start. Looks at no process but the one it runs inside of. */
  recorded(task: ToVerify, record: EnforcedRecord): readonly ReadRow[]
  /** For samples of a running task, one or many. Looks at nothing yet. */
  probe(start: StartRecord): UsageProbe
  /**
   * For a task whose shim is gone: kills what is left of its tree, checking identities first (boot id, pid
   * and start time, or cgroup membership). Resolves to the pids that survived; empty is proof of death. With
   * `spareShim`, also for one whose shim is there and does nothing.
   */
  killTree(start: StartRecord, options?: KillOptions): Promise<readonly number[]>
  /** Removes the task's cgroups if they are empty. Idempotent, never throws for what is already gone. */
  release(cgroups: readonly string[]): Promise<void>
}
