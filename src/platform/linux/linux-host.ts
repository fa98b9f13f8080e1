import type { Scope } from '../../spawn/scope.ts'
import type { CgroupPlanner } from './cgroups.ts'
import type { KernelFeatures } from './kernel-features.ts'

/** What planning needs to know of the host; looked at once, because every start waits for it. */
export type LinuxHost = {
  readonly planner: CgroupPlanner
  readonly kernel: KernelFeatures
  /** Effective user id of this process. */
  readonly uid: number
  /** Where the spawner lives. */
  readonly scope?: Scope | null
}
