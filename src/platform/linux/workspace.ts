import type { Command } from '../../api.ts'
import { wantsHostRoot } from '../../command/host-root.ts'
import { wordsOf } from '../../command/workspace.ts'
import { HoldfastError } from '../../errors.ts'
import type { LandlockRule, MountOp } from '../../spawn/spec.ts'
import type { TaskCredentials } from '../credentials.ts'
import { enforced, loosened, type Row, weakened } from '../rows.ts'
import type { Access } from './access.ts'
import type { Isolation } from './isolation.ts'
import { readMounts } from './cgroup-mode.ts'
import { kernelFilesOf } from './kernel-files.ts'
import type { OwnershipSources, Ownership } from './workspace-owner.ts'
import { ownershipOf } from './workspace-owner.ts'
import type { WorkspacePlace } from './workspace-place.ts'

/** What a task's workspace comes to. */
export type Workspace = {
  /** Where the task sees it. */
  readonly at: string
  /** In a root of the task's own. */
  readonly ops: readonly MountOp[]
  /** In the host's root, where Landlock is the wall. */
  readonly rule: LandlockRule
  /** Whom the task runs as. */
  readonly user: TaskCredentials
  readonly rows: readonly Row[]
}

type Walls = Pick<Isolation, 'ownRoot' | 'seccomp' | 'landlock' | 'rows'>

/**
 * Throws INVALID_ARGUMENT for what contradicts it, UNSUPPORTED for an overlay where there can be none. `user`
 * is who the task is without a workspace, `changes` where what it changes in an overlay goes.
 */
export async function shareWorkspace(
  place: WorkspacePlace,
  command: Readonly<Command>,
  user: TaskCredentials,
  { walls, changes, ...sources }: OwnershipSources & { readonly walls: Walls; readonly changes: string },
): Promise<Workspace> {
  const { path: at, real, readOnly } = place
  refuseMountOnIt(command, at)
  if (place.overlay) refuseOverlay(place, walls)
  const ownership = walls.ownRoot
    ? await ownershipOf(place, command, user, sources)
    : await unmappedOwnership(place, command, user, sources.access)
  const kernels = walls.ownRoot ? kernelFilesOf({ source: real, target: at, readOnly }, at) : noKernels
  if (!place.overlay) refuseRootsSetId(place, ownership, walls)
  return {
    at,
    ops: place.overlay
      ? [overlayOf(place, ownership, changes)]
      : [
          bindOf(place, ownership),
          ...frozen(place, ownership),
          ...kernels.readOnly.map((path): MountOp => ({ op: 'readonly', at: path })),
        ],
    rule: { at: real, access: readOnly ? 'read' : 'write' },
    user: ownership.way === 'as-owner' ? { ...ownership.user, rows: [userRow(place, ownership)] } : user,
    rows: [rowOf(place, command, ownership, { ...walls, ...sources }), ...kernels.rows],
  }
}

const noKernels = { readOnly: [], rows: [] } as const

/** Whom the task runs as in the host's own root, where nothing can be mapped. */
function unmappedOwnership(
  place: WorkspacePlace,
  command: Readonly<Command>,
  user: TaskCredentials,
  access: Access,
): Promise<Ownership> {
  const why = {
    reason: "it has the host's root, where files are whose they are",
    hint: 'leave the root to be its own',
  }
  return ownershipOf(place, command, user, { access, tryMap: () => Promise.resolve(why) })
}

function bindOf({ path, readOnly, owner }: WorkspacePlace, ownership: Ownership): MountOp {
  return {
    ...{ op: 'bind', source: path, base: null, at: path, readOnly, devices: false },
    ...(ownership.way === 'mapped' && { map: { owner, user: ownership.user } }),
  }
}

function overlayOf({ path, owner }: WorkspacePlace, ownership: Ownership, state: string): MountOp {
  return {
    ...{ op: 'overlay', source: path, state, at: path },
    ...(ownership.way === 'mapped' && { map: { owner, user: ownership.user } }),
  }
}

/** An overlay is of one file system: what is mounted beneath would not be there, and what it covers would. */
function refuseOverlay({ path, real }: WorkspacePlace, { ownRoot, rows }: Walls): void {
  if (!ownRoot) {
    const { reason = null, hint = null } = rows.find(({ name }) => name === 'root') ?? {}
    throw new HoldfastError(
      'UNSUPPORTED',
      `workspace.overlay: it takes a root of the task's own: ${reason ?? 'there is none'}`,
      { stage: 'namespace', path, ...(hint !== null && { hint }) },
    )
  }
  const mounted = readMounts('/proc').find(({ point }) => point.startsWith(`${real}/`))
  if (mounted === undefined) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `workspace.overlay: ${path} has another file system mounted in it, which an overlay cannot show: ${mounted.point}`,
    {
      stage: 'mount',
      path: mounted.point,
      hint: `name a directory without mounts, or unmount ${mounted.point}`,
    },
  )
}

/**
 * Root's programs that run as root stay what they are. The tree is looked through for that; in others'
 * directories it is not.
 */
function frozen({ path, readOnly, owner }: WorkspacePlace, { way }: Ownership): MountOp[] {
  return way === 'mapped' && owner.uid === 0 && !readOnly ? [{ op: 'freeze', at: path }] : []
}

function refuseMountOnIt({ mounts = [], tmpfs = [] }: Readonly<Command>, at: string): void {
  if (![...mounts, ...tmpfs].some(({ target }) => target.replace(/\/+$/, '') === at)) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `workspace cannot go with a mount at ${at}: it would be covered`,
    {
      path: at,
      hint: 'leave one of them out',
    },
  )
}

/**
 * The filter of system calls alone keeps a task from leaving a set-user-ID program, which on the host would
 * be root's.
 */
function refuseRootsSetId(
  { owner, readOnly, path }: WorkspacePlace,
  { way }: Ownership,
  { seccomp }: Walls,
): void {
  if (seccomp || readOnly || owner.uid !== 0 || way !== 'mapped') return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `workspace: ${path} is root's, and without the filter of system calls the task could leave set-user-ID programs of root's there`,
    { path, hint: 'leave seccomp on, give the directory to another user, or show it read-only' },
  )
}

function userRow({ path }: WorkspacePlace, { user, why }: Ownership & { way: 'as-owner' }): Row {
  const what = { name: 'user', kind: 'isolation', requested: 'nobody' } as const
  return weakened(
    what,
    `the task runs as ${user.userName}, whose workspace ${path} is: ${why.reason}`,
    accept(user.userName, why.hint),
  )
}

const accept = (name: string, hint: string): string =>
  `${hint}; or name that user to accept it (--user ${name})`

function rowOf(
  place: WorkspacePlace,
  command: Readonly<Command>,
  ownership: Ownership,
  walls: Walls & OwnershipSources,
): Row {
  const what = { name: 'workspace', kind: 'isolation', requested: wordsOf(place) } as const
  if (!walls.ownRoot) {
    if (wantsHostRoot(command))
      return loosened(what, "the task has the host's own root: nothing keeps it in its workspace")
    if (!walls.landlock.restricts)
      return weakened(
        what,
        'the task has the root of the host: nothing keeps it in its workspace',
        walls.landlock.row.hint,
      )
  }
  const owned = ownershipRow(what, place, ownership, walls.access.ownUserOnly === null)
  if (walls.seccomp || place.readOnly || place.overlay || owned.status !== 'enforced') return owned
  const left = weakened(
    what,
    `without the filter of system calls the task can leave set-user-ID programs of user ${place.owner.uid} there`,
    'leave seccomp on',
  )
  return { ...left, chosen: command.seccomp === 'off' }
}

function ownershipRow(
  what: Pick<Row, 'name' | 'kind' | 'requested'>,
  { path, owner }: WorkspacePlace,
  ownership: Ownership,
  canBeAnother: boolean,
): Row {
  switch (ownership.way) {
    case 'own':
      return enforced(what)
    case 'mapped': {
      if (ownership.all) return enforced(what)
      const reason = 'what is mounted beneath it cannot be mapped: there files are whose they are on the host'
      return weakened(what, reason, 'mount nothing beneath it, or only what ext4, xfs, btrfs or tmpfs hold')
    }
    case 'as-owner': {
      const { user, why } = ownership
      return weakened(
        what,
        `${why.reason}: the task runs as its owner, ${user.userName}`,
        accept(user.userName, why.hint),
      )
    }
    case 'foreign': {
      const { user, why } = ownership
      const reason = `${why.reason}: it belongs to user ${owner.uid}, and the task is user ${user.uid}, who may do there what others may`
      const hint = `chown -R ${user.uid} ${path}`
      return weakened(
        what,
        reason,
        `${why.hint}; or ${canBeAnother ? `--user ${owner.uid}, or ` : ''}${hint}`,
      )
    }
  }
}
