import type { PlatformName } from '../platform/port.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import type { Spawner } from '../spawn/spawner.ts'
import type { OwnUsers } from './own-users/own-users.ts'
import type { StateDirectory } from './task-directory.ts'

/** What a task needs of the supervisor that holds it. */
export type TaskServices = {
  readonly state: StateDirectory
  readonly keepAlive: KeepAlive
  /** Users that are one task's each. */
  readonly ownUsers: OwnUsers
  /**
   * Started at first use; `inside`: for what runs inside another task. Throws INVALID_STATE once closed,
   * UNSUPPORTED.
   */
  spawner(platform: PlatformName, inside: boolean): Spawner
}
