import { ownAccess } from '../../src/platform/linux/access.ts'

export const isRoot = process.geteuid?.() === 0

/** An ordinary user's tasks can be its own only. */
const ownUser = String(process.geteuid?.() ?? '')

/** Everybody whom a task that is to be kept from something may be run as here, the most powerful last. */
export const taskUsers: readonly string[] = isRoot ? ['nobody', 'root'] : [ownUser]
export const strongest: string = isRoot ? 'root' : ownUser
export const weakest: string = isRoot ? 'nobody' : ownUser

/** Whether tasks can be isolated here: by root, or in a user namespace. */
export function mayIsolate(): boolean {
  return process.platform === 'linux' && ownAccess().right !== 'none'
}
