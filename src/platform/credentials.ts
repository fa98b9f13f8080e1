import type { Command } from '../api.ts'
import { resolveUser } from '../command/users.ts'
import { HoldfastError } from '../errors.ts'
import type { LaunchSpec } from '../spawn/spec.ts'

/** The supervisor's user, for tests to choose. Null where the system has no user numbers. */
export type Self = { readonly uid: number; readonly gid: number } | null

/** Null: the supervisor's own user. Throws PERMISSION when another one is asked for and this process is not root. */
export async function ownOrSwitched(
  { user, group }: Readonly<Command>,
  self: Self,
): Promise<LaunchSpec['credentials']> {
  if (user === undefined && group === undefined) return null
  if (self === null)
    throw new HoldfastError('UNSUPPORTED', 'user and group: this system has no user numbers', {
      stage: 'user',
    })
  const wanted = await resolveUser(user ?? self.uid, group)
  if (self.uid === 0) return wanted
  if (wanted.uid === self.uid && wanted.gid === self.gid) return null
  throw new HoldfastError(
    'PERMISSION',
    `only root may start a task as ${user ?? self.uid}:${group ?? wanted.gid}`,
    {
      stage: 'user',
      errno: 'EPERM',
      hint: `run as root, or leave user and group out to run as user ${self.uid}`,
    },
  )
}
