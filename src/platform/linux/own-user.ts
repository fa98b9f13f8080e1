import type { PlainCommand } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import { isMapped, listed } from '../../id-maps.ts'
import type { TaskCredentials } from '../credentials.ts'
import type { OwnNumbers, TargetTask, TaskRequest } from '../port.ts'
import { enforced, weakened } from '../rows.ts'
import { moreNumbers } from '../unmapped.ts'
import type { Access } from './access.ts'
import type { Isolation } from './isolation.ts'
import type { Denial } from './kernel-features.ts'
import type { LinuxHost } from './linux-host.ts'
import { taskUser } from './task-user.ts'

type Host = Pick<LinuxHost, 'access' | 'numbers'>
type Walls = Pick<Isolation, 'ownRoot'>

/** `command` names the user that it comes to, where that is one of the task's own. */
type Resolved = { readonly command: Readonly<PlainCommand>; readonly user: TaskCredentials }

/**
 * Who the task runs as. With the user `own` it is one that is the task's alone, as long as anything of it is
 * left; where that is only preferred, and cannot be had, it is what it is without.
 * Rejects INVALID_ARGUMENT for `own` with a group, UNSUPPORTED where it cannot be had, and as taskUser().
 */
export async function resolvedUser(
  { command, preferredUser }: Pick<TaskRequest, 'command' | 'preferredUser'>,
  walls: Walls,
  host: Host,
): Promise<Resolved> {
  const { user, group } = command
  if (user === 'own') {
    refuseGroup(group)
    return { command, user: await claimed(walls, host) }
  }
  const isPreferred = preferredUser === 'own' && user === undefined && group === undefined
  if (!isPreferred) return { command, user: await taskUser(command, host.access) }
  try {
    return { command: { ...command, user: 'own' }, user: await claimed(walls, host) }
  } catch (error) {
    return { command, user: withoutOwn(await taskUser(command, host.access), error as Error) }
  }
}

async function claimed(walls: Walls, host: Host): Promise<TaskCredentials> {
  const numbers = ownNumbers(walls, host)
  if ('reason' in numbers)
    throw new HoldfastError('UNSUPPORTED', `command.user: "own" cannot be had: ${numbers.reason}`, {
      stage: 'user',
      ...(numbers.hint !== null && { hint: numbers.hint }),
    })
  return credentialsOf(await numbers.claim())
}

/** Whoever is not even nobody has a row that says so. */
function withoutOwn(
  user: TaskCredentials,
  { message, ...why }: Error & { readonly hint?: string },
): TaskCredentials {
  const rows = user.rows.map(row =>
    row.name !== 'user' || row.status !== 'enforced'
      ? row
      : {
          ...weakened(
            { ...row, requested: 'own' },
            `a default that does not hold here: ${message}; the task runs as ${user.userName}, as others do`,
            why.hint ?? null,
          ),
          chosen: true,
        },
  )
  return { ...user, rows }
}

/** What runs inside a task runs as its user. Null: it has a user of this host. Throws INVALID_ARGUMENT. */
export function ownUserInside(
  { ownUser: number }: Pick<TargetTask, 'ownUser'>,
  { user, group }: Readonly<Pick<PlainCommand, 'user' | 'group'>>,
): TaskCredentials | null {
  if (user !== undefined && user !== 'own') return null
  if (number === undefined) {
    if (user === undefined) return null
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      'command.user: got "own", and its task has a user of this host',
      {
        hint: 'leave command.user as exec() has set it',
      },
    )
  }
  refuseGroup(group)
  return credentialsOf(number)
}

/** Files that it leaves in the host's own root nobody would find again, and its number would be another's. */
function ownNumbers({ ownRoot }: Walls, { access, numbers = null }: Host): OwnNumbers | Denial {
  if (numbers === null) return { reason: 'nobody gives out numbers here', hint: null }
  const { ownUserOnly } = access
  if (ownUserOnly !== null) return ownUserOnly
  const missing = unmappedIn(access, numbers)
  if (missing !== null) return missing
  if (!ownRoot)
    return {
      reason:
        "the task has the host's own root, where it could leave files that the next user of its number gets",
      hint: 'leave the root to be its own',
    }
  return numbers
}

function unmappedIn({ maps }: Pick<Access, 'maps'>, { range: { first, count } }: OwnNumbers): Denial | null {
  const last = first + count - 1
  const missing = (['users', 'groups'] as const).filter(
    kind => !maps[kind].some(range => isMapped([range], first) && isMapped([range], last)),
  )
  if (missing.length === 0) return null
  const there = missing.map(kind => `${kind} ${first} to ${last} (it has ${listed(maps[kind])})`)
  return {
    reason: `the user namespace of this process lacks ${there.join(' and ')}`,
    hint: `${moreNumbers}; or name numbers that it has (ownUsers)`,
  }
}

function refuseGroup(group: string | number | undefined): void {
  if (group === undefined) return
  throw new HoldfastError('INVALID_ARGUMENT', 'command.group cannot go with command.user "own"', {
    hint: 'leave command.group out: the group is one of its own too',
  })
}

function credentialsOf(number: number): TaskCredentials {
  return {
    credentials: { uid: number, gid: number, groups: [] },
    userName: String(number),
    rows: [enforced({ name: 'user', kind: 'isolation', requested: `own (${number})` })],
  }
}
