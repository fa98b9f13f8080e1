import type { Scope } from '../../spawn/scope.ts'
import type { OwnNumbers } from '../port.ts'
import type { Access } from './access.ts'
import type { CgroupPlanner } from './cgroups.ts'

/** What planning needs to know of the host; looked at once, because every start waits for it. */
export type LinuxHost = {
  readonly planner: CgroupPlanner
  readonly access: Access
  /** Where the spawner lives. */
  readonly scope?: Scope | null
  /** Where users are had that are one task's each. */
  readonly numbers?: OwnNumbers | null
}
