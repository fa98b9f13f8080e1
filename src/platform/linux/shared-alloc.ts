import { sep } from 'node:path'
import type { Command } from '../../api.ts'
import type { MountOp } from '../../spawn/spec.ts'
import type { TaskCredentials } from '../credentials.ts'
import type { TaskRequest } from '../port.ts'
import { baseOf } from '../streams.ts'
import { enforced, type Row, weakened } from '../rows.ts'
import { taskUser } from './task-user.ts'
import { type OwnershipSources, tryMap } from './workspace-owner.ts'

/** How files come to belong to one user on the host and to another in the task. */
export type FileMap = NonNullable<(MountOp & { op: 'bind' })['map']>

/** `sources`: of the mounts from within the allocation those to which the map applies, too. */
export type SharedFiles = { readonly map: FileMap; readonly sources: ReadonlySet<string> }

export type SharedAlloc = { readonly files: SharedFiles | null; readonly rows: readonly Row[] }

type Asked = Pick<TaskRequest, 'alloc' | 'key'> & { readonly command: Readonly<Command> }

/**
 * An allocation of the caller's, which may have several tasks, at once or one after another: of those with a
 * user of their own each sees its files as its own. On the host they belong to whom such a task runs as
 * otherwise (`nobody`), so that tasks without a user of their own share them too. So is what is mounted from
 * within it, but where that is another file system which cannot be mapped, such as one in memory before Linux
 * 6.3: there files are whose they are on the host.
 */
export async function shareAlloc(
  { alloc, key, command }: Asked,
  dir: string,
  { credentials }: Pick<TaskCredentials, 'credentials'>,
  { access, tryMap: tried = tryMap }: OwnershipSources,
): Promise<SharedAlloc> {
  if (command.user !== 'own' || credentials === null || isItsAlone(alloc, key, dir)) return none
  const what = { name: 'alloc', kind: 'isolation', requested: 'shared' } as const
  const { user: _user, ...others } = command
  const { credentials: owner } = await taskUser(others, access)
  const mapped = await tried(alloc.root)
  if ('all' in mapped && owner !== null) {
    const sources = await mappedSources({ alloc, command }, tried)
    return { files: { map: { owner, user: credentials }, sources }, rows: [enforced(what)] }
  }
  const why = 'all' in mapped ? unmapped : mapped
  const reason = `${why.reason}: of what other tasks of the allocation have made, the task may read what modes let it, and change nothing`
  const hint = `${why.hint}; or umask: 0 in the tasks that share files`
  return { files: null, rows: [weakened(what, reason, hint)] }
}

async function mappedSources(
  { alloc, command }: Pick<Asked, 'alloc' | 'command'>,
  tried: typeof tryMap,
): Promise<ReadonlySet<string>> {
  const sources = (command.mounts ?? []).map(({ source }) => source)
  const within = sources.filter(source => baseOf(source, alloc) !== null)
  const isMapped = await Promise.all(within.map(async source => 'all' in (await tried(source))))
  return new Set(within.filter((_, index) => isMapped[index]))
}

const none: SharedAlloc = { files: null, rows: [] }
const unmapped = { reason: 'there is no user whose they would be on the host', hint: 'run as root (sudo)' }

/** Its supervisor has made it for this task, and removes it with the task. */
export function isItsAlone({ root }: TaskRequest['alloc'], key: string, dir: string): boolean {
  const own = `tasks${sep}${key}`
  return dir.endsWith(own) && root === `${dir.slice(0, -own.length)}allocs${sep}${key}`
}
