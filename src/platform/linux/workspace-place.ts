import { closeSync, constants, fstatSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { O_PATH } from '../../alloc/directory.ts'
import { openTrusted } from '../../alloc/open-trusted.ts'
import type { WorkspaceAsked } from '../../command/workspace.ts'
import { HoldfastError } from '../../errors.ts'
import type { TaskPaths } from '../port.ts'
import { type Protected, protectedBy, protectedOfHost } from './protected-directories.ts'

export type Owner = { readonly uid: number; readonly gid: number }

/** A workspace as it was found. */
export type WorkspacePlace = WorkspaceAsked & {
  /** Its path without links. */
  readonly real: string
  readonly owner: Owner
}

type Surroundings = {
  /** Of the task's records: `<stateDir>/tasks/<key>`. */
  readonly dir: string
  readonly alloc: Pick<TaskPaths, 'root'>
}

/**
 * Throws INVALID_ARGUMENT for what is no directory, or none that a task may be given to work in; PERMISSION
 * for a link on the way that somebody else could have put there, and where this process may not go.
 */
export function workspacePlace(asked: WorkspaceAsked, { dir, alloc }: Surroundings): WorkspacePlace {
  refuseOwnNames(asked.path)
  const fd = open(asked.path)
  try {
    const { uid, gid } = fstatSync(fd)
    const real = readlinkSync(`/proc/self/fd/${fd}`)
    const records = posix.dirname(posix.dirname(dir))
    const wrong = protectedBy(real, [...protectedOfHost(), ...ofTasks(records, alloc.root)])
    if (wrong !== null) throw refused(asked.path, wrong)
    return { ...asked, real, owner: { uid, gid } }
  } finally {
    closeSync(fd)
  }
}

/** What lies there in the task is holdfast's own. */
function refuseOwnNames(path: string): void {
  const own = ['/alloc', '/local', '/secrets', '/dev', '/proc', '/sys'].find(
    name => path === name || path.startsWith(`${name}/`),
  )
  if (own === undefined || path.startsWith('/dev/shm/')) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `workspace: ${path} would lie in ${own}, which is the task's own`,
    {
      path,
      stage: 'mount',
      hint: `show it at another place: mounts and cwd (--mount ${path}:/work --cwd /work)`,
    },
  )
}

function open(path: string): number {
  try {
    return openTrusted(path, O_PATH | constants.O_DIRECTORY)
  } catch (error) {
    const { code: errno = 'EIO' } = error as NodeJS.ErrnoException
    if (error instanceof HoldfastError) throw error
    if (errno === 'EACCES' || errno === 'EPERM')
      throw new HoldfastError('PERMISSION', `workspace: ${path} cannot be reached by this user`, {
        ...{ path, errno, stage: 'mount', cause: error },
        hint: 'run it as the user whose directory it is, or as root',
      })
    throw new HoldfastError('INVALID_ARGUMENT', `workspace: ${path} ${whatIsWrong(errno)}`, {
      ...{ path, errno, stage: 'mount', cause: error },
      hint:
        errno === 'ENOTDIR'
          ? `name the directory it is in; mounts shows a single file (--mount ${path})`
          : 'make it first, or name one that is there (-w DIR)',
    })
  }
}

function whatIsWrong(errno: string): string {
  if (errno === 'ENOENT') return 'does not exist'
  return errno === 'ENOTDIR' ? 'is not a directory' : `cannot be opened: ${errno}`
}

function ofTasks(records: string, alloc: string): Protected[] {
  const why = 'it holds the records of tasks, or what is theirs'
  return [records, alloc].map(path => ({ path, why, below: true }))
}

function refused(path: string, { path: other, why }: Protected): HoldfastError {
  const which = other === path ? '' : ` (${other})`
  return new HoldfastError('INVALID_ARGUMENT', `workspace: ${path} is refused: ${why}${which}`, {
    path,
    stage: 'mount',
    hint: `name a directory of its own, such as a project's (-w DIR); what is really meant can be shown by mounts (--mount ${path})`,
  })
}
