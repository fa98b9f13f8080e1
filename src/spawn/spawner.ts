import type { Feed } from './feed.ts'
import type { Scope } from './scope.ts'
import type { LaunchSpec } from './spec.ts'

/** How a watched shim stopped being watched: it is gone, or whoever watched it for us is. */
export type WatchEnd = 'gone' | 'unwatched'

/**
 * What was heard of a task's end first. `recorded`: nothing of it is left and its exit record is in place,
 * while its shim still removes cgroups.
 */
export type TaskEnd = 'recorded' | WatchEnd

/** Neither promise rejects. */
export type Launched = {
  /** Resolves once: the task ended, or the spawner did, and then somebody else must watch. */
  readonly end: Promise<TaskEnd>
  /** Resolves with or after `end`, when the shim has gone, too, and what it removes with it. */
  readonly gone: Promise<WatchEnd>
}

/** Called once, in front of exec. Never throws. */
export type Held = () => void

/** A start that did not happen: the shim's own words. `errno` is a number, 0 for none. */
export class LaunchFailed extends Error {
  readonly stage: string
  readonly errno: number
  readonly detail: string

  constructor(stage: string, errno: number, detail: string) {
    super(`${stage}: ${detail}`)
    this.stage = stage
    this.errno = errno
    this.detail = detail
  }

  /**
   * The spawner's word for a shim that has died before it could answer (docs/native-protocol.md). It has been
   * reaped: nobody is at work on the request any more, and what it has done stands in the task directory.
   */
  get isOfDeadShim(): boolean {
    return (
      this.stage === 'fork' && this.errno === 0 && /^the shim was killed by signal \d+ /.test(this.detail)
    )
  }
}

/**
 * The spawner died with a request unanswered. Its reply pipe has reached end of file, and every starting shim
 * holds a copy of that pipe until it has answered: so no shim is at work on the request any more, and what
 * happened stands in the task directory.
 */
export class SpawnerDied extends Error {}

/** Forks shims: the native spawner, or the portable stand-in. */
export interface Spawner {
  /**
   * Resolves when the program has been exec'ed. Rejects with LaunchFailed or SpawnerDied, or a HoldfastError
   * when it cannot be started at all. `held`, of a launch with `holdMs`: its task waits for `go`.
   */
  launch(spec: LaunchSpec, feed?: Feed | null, held?: Held): Promise<Launched>
  /**
   * For a task that this program feeds: to be made before the launch, and given to it. Throws START_FAILED.
   */
  feed(dir: string): Feed
  /**
   * Where its process lives, once that has been settled with the service manager; null where there is none.
   * To be asked before a start is planned: the task's cgroups belong below it. Rejects as launch does.
   */
  scope(): Promise<Scope | null>
  /** Makes sure that its process runs, and names it for the records; null when it has none of its own. */
  prepare(): number | null
  /** How often its process has died and was started anew. */
  readonly restarts: number
  /** Lets go: shims live on. Resolves when the spawner process is gone. */
  close(): Promise<void>
}
