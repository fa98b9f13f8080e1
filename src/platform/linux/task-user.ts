import type { Command } from '../../api.ts'
import { resolveUser } from '../../command/users.ts'
import { groupRows, ownOrSwitched, type TaskCredentials } from '../credentials.ts'
import { enforced, loosened, type Row, weakened } from '../rows.ts'
import type { Access, Own } from './access.ts'

/** What becomes of the user that the command asks for, without looking anybody up. */
export function taskUserRows(command: Readonly<Command>, { self }: Access): readonly Row[] {
  return self.uid === 0 ? [enforced(userOf(command))] : rowsOfOwn(command, self)
}

/**
 * Who the task runs as. Root's tasks are nobody's unless told otherwise; an ordinary user's are its own, whatever the default, for it cannot become
 * anybody else. Throws PERMISSION when it asks for somebody else, START_FAILED for an unknown name.
 */
export async function taskUser(command: Readonly<Command>, { self }: Access): Promise<TaskCredentials> {
  if (self.uid !== 0) return { ...(await ownOrSwitched(command, self)), rows: rowsOfOwn(command, self) }
  const found = await resolveUser(command.user ?? 'nobody', command.group)
  const what = userOf(command)
  const user = found.credentials.uid === 0 ? loosened(what) : enforced(what)
  return { credentials: found.credentials, userName: found.name, rows: [user, ...groupRows(found)] }
}

const hint = 'run as root (sudo)'

function rowsOfOwn(command: Readonly<Command>, { uid, groups }: Own): Row[] {
  const what = userOf(command)
  // Asked for by name it is what was wanted, with the groups it has.
  if (command.user !== undefined) return [enforced(what)]
  const user = weakened(
    what,
    `an ordinary user cannot become another: the task runs as user ${uid}, as you do`,
    `${hint}, or name your own user to accept it`,
  )
  if (groups.length === 0) return [user]
  const kept = weakened(
    { name: 'groups', kind: 'isolation', requested: 'none' },
    `an ordinary user cannot leave groups: the task keeps ${groups.join(', ')}`,
    hint,
  )
  return [user, kept]
}

function userOf({ user }: Readonly<Command>) {
  return { name: 'user', kind: 'isolation', requested: String(user ?? 'nobody') } as const
}
