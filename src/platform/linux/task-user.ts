import type { Command } from '../../api.ts'
import { resolveUser } from '../../command/users.ts'
import { isMapped } from '../../id-maps.ts'
import { groupRows, notStartedAs, ownName, ownOrSwitched, type TaskCredentials } from '../credentials.ts'
import { enforced, loosened, type Row, weakened } from '../rows.ts'
import { mappedGroups, unmapped } from '../unmapped.ts'
import type { Access, Own } from './access.ts'
import type { Denial } from './kernel-features.ts'

/**
 * Who the task runs as. Root's tasks are nobody's unless told otherwise; those of whoever cannot become
 * another, or not nobody, are its own, whatever the default. Throws PERMISSION for somebody else than can be
 * had, START_FAILED for an unknown name.
 */
export async function taskUser(command: Readonly<Command>, access: Access): Promise<TaskCredentials> {
  const { ownUserOnly, self, maps } = access
  if (ownUserOnly !== null)
    return {
      ...(await ownOrSwitched(command, self, () => ownUserOnly)),
      rows: rowsOfOwn(command, self, ownUserOnly),
    }
  const found = await resolveUser(command.user ?? 'nobody', command.group)
  const denial = unmapped(found.credentials, maps)
  if (denial !== null && command.user === undefined && command.group === undefined)
    return ownInstead(command, access, denial)
  if (denial !== null) throw notStartedAs(command, { ...found.credentials, self: self.uid }, denial)
  const what = userOf(command)
  const user = found.credentials.uid === 0 ? loosened(what) : enforced(what)
  const { credentials, rows } = mappedGroups(found, maps)
  return { credentials, userName: found.name, rows: [user, ...groupRows(found), ...rows] }
}

/** Whoever can become another, and not nobody, can leave its groups all the same. */
async function ownInstead(
  command: Readonly<Command>,
  { self, maps }: Access,
  denial: Denial,
): Promise<TaskCredentials> {
  const { uid, gid } = self
  const leaves = isMapped(maps.users, uid) && isMapped(maps.groups, gid)
  const left = leaves ? { ...self, groups: [] } : self
  return {
    credentials: leaves ? { uid, gid, groups: [] } : null,
    userName: await ownName(self),
    rows: rowsOfOwn(command, left, denial),
  }
}

function rowsOfOwn(command: Readonly<Command>, { uid, groups }: Own, { reason, hint }: Denial): Row[] {
  const what = userOf(command)
  // Asked for by name it is what was wanted, with the groups it has.
  if (command.user !== undefined) return [uid === 0 ? loosened(what) : enforced(what)]
  const user = weakened(
    what,
    `${reason}: the task runs as user ${uid}, as you do`,
    `${hint}, or name your own user to accept it`,
  )
  if (groups.length === 0) return [user]
  const kept = weakened(
    { name: 'groups', kind: 'isolation', requested: 'none' },
    `whoever cannot become another cannot leave groups: the task keeps ${groups.join(', ')}`,
    hint,
  )
  return [user, kept]
}

function userOf({ user }: Readonly<Command>) {
  return { name: 'user', kind: 'isolation', requested: String(user ?? 'nobody') } as const
}
