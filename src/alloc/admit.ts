import { chmodSync, chownSync, lstatSync } from 'node:fs'
import { fileFailure } from './failure.ts'

/** Whom a task runs as. */
export type TaskUser = { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }

const groupPasses = 0o010
const othersPass = 0o001

/**
 * Lets a task through to its files by their path on the host, which only one without a root of its own needs:
 * an allocation is nobody's but the supervisor's otherwise, so that what tasks leave in it (a set-user-ID
 * program, above all) is out of the host's users' reach. No more than needed is given: the task's group may
 * pass through, and all users where that of another task may already. Throws PERMISSION.
 */
export function admit(allocation: string, { uid, gid, groups }: TaskUser): void {
  try {
    const stats = lstatSync(allocation)
    // Root needs no permission bits, and its owner has them.
    if (uid === 0 || uid === stats.uid || (stats.mode & othersPass) !== 0) return
    const grouped = (stats.mode & groupPasses) !== 0
    if (grouped && [gid, ...groups].includes(stats.gid)) return
    if (grouped) return chmodSync(allocation, 0o711)
    chownSync(allocation, -1, gid)
    chmodSync(allocation, 0o710)
  } catch (error) {
    throw fileFailure(error, 'let the task into', allocation)
  }
}
