import type { Command } from '../../api.ts'
import { resolveUser } from '../../command/users.ts'
import { groupRows, ownOrSwitched, type TaskCredentials } from '../credentials.ts'
import { enforced, loosened, type Row, weakened } from '../rows.ts'
import type { Access } from './access.ts'

/**
 * Who the task runs as. Root's tasks are nobody's unless told otherwise; those of whoever cannot become another are its own, whatever the default.
 * Throws PERMISSION when such a one asks for somebody else, START_FAILED for an unknown name.
 */
export async function taskUser(command: Readonly<Command>, access: Access): Promise<TaskCredentials> {
  const { ownUserOnly, self } = access
  if (ownUserOnly !== null)
    return { ...(await ownOrSwitched(command, self, ownUserOnly)), rows: rowsOfOwn(command, access) }
  const found = await resolveUser(command.user ?? 'nobody', command.group)
  const what = userOf(command)
  const user = found.credentials.uid === 0 ? loosened(what) : enforced(what)
  return { credentials: found.credentials, userName: found.name, rows: [user, ...groupRows(found)] }
}

function rowsOfOwn(command: Readonly<Command>, { self: { uid, groups }, ownUserOnly }: Access): Row[] {
  const what = userOf(command)
  const { reason, hint } = ownUserOnly ?? { reason: '', hint: null }
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
