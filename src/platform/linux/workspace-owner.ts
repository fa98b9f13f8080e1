import type { Command } from '../../api.ts'
import { resolveUser } from '../../command/users.ts'
import { errnoName } from '../../errno-name.ts'
import { isMapped } from '../../id-maps.ts'
import { mappable } from '../../spawn/mappable.ts'
import { nativeProgram } from '../../spawn/native-program.ts'
import type { TaskCredentials } from '../credentials.ts'
import type { Access } from './access.ts'
import { readMounts } from './cgroup-mode.ts'
import type { Owner, WorkspacePlace } from './workspace-place.ts'

/**
 * How the files of a workspace come to be the task's. `why`: why not by mapping them, which is the way that
 * needs nothing of the task.
 */
export type Ownership =
  /** Its owner is the task's user. */
  | { readonly way: 'own' }
  /** `all`: what is mounted beneath it too. */
  | { readonly way: 'mapped'; readonly user: Owner; readonly all: boolean }
  /** The task runs as the owner, who is not root. */
  | { readonly way: 'as-owner'; readonly user: TaskCredentials; readonly why: Why }
  /** They are another's to the task. */
  | { readonly way: 'foreign'; readonly user: Owner; readonly why: Why }

type Why = { readonly reason: string; readonly hint: string }

/** `try`: whether a directory can be mapped, for tests to say. */
export type OwnershipSources = { readonly access: Access; readonly tryMap?: typeof tryMap }

/** Never makes a task root: of root's directory only the mapping makes it the task's. */
export async function ownershipOf(
  { real, owner }: WorkspacePlace,
  command: Readonly<Command>,
  { credentials }: Pick<TaskCredentials, 'credentials'>,
  { access, tryMap: tried = tryMap }: OwnershipSources,
): Promise<Ownership> {
  const { uid, gid } = credentials ?? access.self
  if (uid === owner.uid) return { way: 'own' }
  const mapped =
    access.right === 'root' ? await tried(real) : { reason: onlyRoot, hint: 'run as root (sudo)' }
  if ('all' in mapped) return { way: 'mapped', user: { uid, gid }, all: mapped.all }
  const asOwner = await ownersCredentials(owner, command, access)
  return asOwner === null
    ? { way: 'foreign', user: { uid, gid }, why: mapped }
    : { way: 'as-owner', user: asOwner, why: mapped }
}

/**
 * Of somebody other than root, where the caller has left the task's user to us. Without other groups: those
 * may be worth more than the files.
 */
export async function ownersCredentials(
  { uid, gid }: Owner,
  { user, group }: Readonly<Command>,
  { ownUserOnly, maps }: Access,
): Promise<TaskCredentials | null> {
  if (user !== undefined || group !== undefined || uid === 0 || ownUserOnly !== null) return null
  if (!isMapped(maps.users, uid) || !isMapped(maps.groups, gid) || gid === 0) return null
  const { name } = await resolveUser(uid, gid)
  return { credentials: { uid, gid, groups: [] }, userName: name, rows: [] }
}

const onlyRoot = "only the host's root can show files as another user's"

export async function tryMap(directory: string): Promise<{ readonly all: boolean } | Why> {
  const native = nativeProgram()
  const tried = 'path' in native ? await mappable(native.path, directory) : null
  if (tried?.refused === 0) return { all: tried.all }
  const errno = tried === null ? 'UNKNOWN' : errnoName(tried.refused)
  return whyRefused(errno, typeOf(directory))
}

function whyRefused(errno: string, type: string): Why {
  switch (errno) {
    case 'ENOSYS':
      return { reason: "this kernel cannot show files as another user's", hint: 'Linux 5.12 or newer' }
    case 'EINVAL':
      return {
        reason: `${type} does not let its files be shown as another user's`,
        hint: 'keep the directory on ext4, xfs, btrfs or tmpfs',
      }
    case 'ENOSPC':
      return {
        reason: "no user namespace can be made, by which files are shown as another user's",
        hint: 'sysctl user.max_user_namespaces=10000',
      }
    default:
      return {
        reason: `${type}, or this host, does not let files be shown as another user's (${errno})`,
        hint: 'run as a root that has CAP_SYS_ADMIN and CAP_SETFCAP',
      }
  }
}

/** Of the file system that a directory is on. */
function typeOf(directory: string): string {
  const isOn = (point: string) => point === '/' || directory === point || directory.startsWith(`${point}/`)
  const [last] = readMounts('/proc')
    .filter(({ point }) => isOn(point))
    .sort((one, other) => other.point.length - one.point.length)
  return last?.type ?? 'its file system'
}
