import { countOf, type IdMaps, isEverybody, isMapped, listed } from '../id-maps.ts'
import type { Resolved } from '../command/users.ts'
import { type Row, weakened } from './rows.ts'

type Credentials = Resolved['credentials']
type Denial = { readonly reason: string; readonly hint: string }

/**
 * Why nobody can become another in this user namespace, whatever capabilities there are; null: it can be
 * done.
 */
export function nobodyElse({ users, setsGroups }: IdMaps): Denial | null {
  if (countOf(users) <= 1)
    return { reason: 'the user namespace of this process has no other user in it', hint: moreNumbers }
  if (!setsGroups)
    return {
      reason: 'the user namespace of this process lets nobody leave groups (/proc/self/setgroups: deny)',
      hint: moreNumbers,
    }
  return null
}

/** Why a task cannot have this user and this group here; null: it can. */
export function unmapped({ uid, gid }: Pick<Credentials, 'uid' | 'gid'>, maps: IdMaps): Denial | null {
  const missing = [
    ...(isMapped(maps.users, uid) ? [] : [`no user ${uid} (it has ${listed(maps.users)})`]),
    ...(isMapped(maps.groups, gid) ? [] : [`no group ${gid} (it has ${listed(maps.groups)})`]),
  ]
  if (missing.length === 0) return null
  const reason = `the user namespace of this process has ${missing.join(' and ')}`
  return { reason, hint: moreNumbers }
}

/** The supplementary groups that can be had, and a row of those that cannot. */
export function mappedGroups(
  { credentials, name }: Resolved,
  { groups: there }: IdMaps,
): { readonly credentials: Credentials; readonly rows: readonly Row[] } {
  const lost = credentials.groups.filter(group => !isMapped(there, group))
  if (lost.length === 0) return { credentials, rows: [] }
  const what = { name: 'groups', kind: 'isolation', requested: `those of ${name}` } as const
  const reason = `the user namespace of this process has no group ${lost.join(', ')}: the task goes without`
  const groups = credentials.groups.filter(group => !lost.includes(group))
  return { credentials: { ...credentials, groups }, rows: [weakened(what, reason, moreNumbers)] }
}

/**
 * Devices and the like are the host's root's: who is root of a user namespace has less, whatever its
 * capabilities.
 */
export function isHostsOwn({ users, groups, isMade }: IdMaps): boolean {
  return !isMade && isEverybody(users) && isEverybody(groups)
}

export const moreNumbers =
  "run as the host's root, or give the user namespace more numbers: ranges in /etc/subuid and /etc/subgid, and newuidmap"
