import type { StartRecord } from '../../machines/index.ts'
import type { TaskPaths } from '../alloc/task-paths.ts'
import type { Command, Enforcement, Resources, Usage } from '../api.ts'
import type { LaunchSpec } from '../spawn/spec.ts'

export type PlatformName = 'basic' | 'linux'

/** One task as asked for: plain JSON, stored before anything is started. */
export type TaskRequest = {
  readonly key: string
  readonly name: string
  readonly platform: PlatformName
  readonly command: Readonly<Command>
  readonly resources: Resources | null
  readonly alloc: TaskPaths
  /** Refuse to start rather than weaken anything. */
  readonly strict: boolean
  readonly durable: boolean
  /** The FIFO of the supervisor that the task is not to outlive; null: it outlives any. */
  readonly owner: string | null
  /** Milliseconds between the graceful stop at the wall time limit and SIGKILL. */
  readonly graceMs: number
}

export type { TaskPaths }

export type Plan = {
  readonly spec: LaunchSpec
  readonly enforcement: readonly Enforcement[]
}

/** What differs between the ways to run a task. Selected once, by name; holds no state of any task. */
export interface Platform {
  readonly name: PlatformName
  /**
   * Decides everything about one start. `dir` is the task's record directory.
   * Throws HoldfastError: INVALID_ARGUMENT for what can never work, PERMISSION or UNSUPPORTED for what this host or user cannot do,
   * LIMIT_FAILED or ISOLATION_FAILED when `strict` and a row would not be `enforced`.
   */
  plan(request: TaskRequest, dir: string): Promise<Plan>
  /** One sample. Values that cannot be known (any more) are null; `cpuPercent` is left to the caller. */
  sample(start: StartRecord): Promise<Usage>
  /**
   * For a task whose shim is gone: kills what is left of its tree, checking identities first (boot id, pid and start time, or cgroup membership).
   * Resolves to the pids that survived; empty is proof of death.
   */
  killTree(start: StartRecord): Promise<readonly number[]>
  /** Removes the task's cgroups if they are empty. Idempotent, never throws for what is already gone. */
  release(cgroups: readonly string[]): Promise<void>
}
