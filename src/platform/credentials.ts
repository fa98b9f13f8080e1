import { userInfo } from 'node:os'
import type { Command } from '../api.ts'
import { nameOf, type Resolved, resolveUser } from '../command/users.ts'
import { HoldfastError } from '../errors.ts'
import { type IdMaps, idMaps } from '../id-maps.ts'
import type { LaunchSpec } from '../spawn/spec.ts'
import { type Row, weakened } from './rows.ts'
import { mappedGroups, unmapped } from './unmapped.ts'

/** The supervisor's user, for tests to choose. Null where the system has no user numbers. */
export type Self = { readonly uid: number; readonly gid: number } | null

type Refusal = { readonly reason: string; readonly hint: string | null }

export type TaskCredentials = {
  /** Null: the supervisor's own user. */
  readonly credentials: LaunchSpec['credentials']
  /** For USER and LOGNAME. */
  readonly userName: string
  /** A row of what of the user's groups could not be had. */
  readonly rows: readonly Row[]
}

/**
 * Throws PERMISSION when another one is asked for and this process cannot become that: `ownOnly` says why,
 * and what would change it. It and `maps` read files of /proc, and are asked where somebody else is.
 */
export async function ownOrSwitched(
  command: Readonly<Command>,
  self: Self,
  ownOnly: () => Refusal | null,
  maps: () => IdMaps = idMaps,
): Promise<TaskCredentials> {
  const { user, group } = command
  if (user === undefined && group === undefined)
    return { credentials: null, userName: await ownName(self), rows: [] }
  if (self === null)
    throw new HoldfastError('UNSUPPORTED', 'user and group: this system has no user numbers', {
      stage: 'user',
    })
  const found = await resolveUser(user ?? self.uid, group)
  const { credentials: wanted, name: userName } = found
  const numbers = maps()
  const denial = ownOnly() ?? unmapped(wanted, numbers)
  if (denial === null) {
    const { credentials, rows } = mappedGroups(found, numbers)
    return { credentials, userName, rows: [...groupRows(found), ...rows] }
  }
  if (wanted.uid === self.uid && wanted.gid === self.gid) return { credentials: null, userName, rows: [] }
  throw notStartedAs(command, { ...wanted, self: self.uid }, denial)
}

/** Whoever is `self` cannot become who was asked for. */
export function notStartedAs(
  { user, group }: Readonly<Command>,
  { gid, self }: { readonly gid: number; readonly self: number },
  { reason, hint }: Refusal,
): HoldfastError {
  const field = user === undefined ? 'command.group' : 'command.user'
  return new HoldfastError(
    'PERMISSION',
    `${field}: no task can be started as ${user ?? self}:${group ?? gid}: ${reason}`,
    { stage: 'user', errno: 'EPERM', hint: `${hint}, or leave user and group out to run as user ${self}` },
  )
}

/** The services that know more of a user's groups than /etc/group did not answer. */
export function groupRows({ name, groupsUnknown }: Resolved): readonly Row[] {
  if (!groupsUnknown) return []
  const what = { name: 'groups', kind: 'isolation', requested: `those of ${name}` } as const
  const reason =
    'the name services of this host could not be asked (getent initgroups): the task has the groups of /etc/group only'
  return [
    weakened(what, reason, `getent initgroups ${name} must work: see nsswitch.conf(5) and its services`),
  ]
}

export const ownName = (self: Self): Promise<string> =>
  self === null ? Promise.resolve(userInfo().username) : nameOf(self.uid)
