import { statSync } from 'node:fs'
import type { Command } from '../../api.ts'
import type { MountOp } from '../../spawn/spec.ts'
import type { TaskPaths } from '../port.ts'
import { type Row, skipped } from '../rows.ts'
import { baseOf } from '../streams.ts'
import { allocation, allocationInMemory } from './allocation-mounts.ts'
import { type HostDirectories, hostDirectories } from './host-directories.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import { kernelFilesOf } from './kernel-files.ts'
import { deviceNode, existing } from './mount-sources.ts'
import { bind, bound, inside, tmpfsAt, withTmpfs } from './mount-ops.ts'
import { cgroupView } from './own-cgroups.ts'
import { mergedDirectories, unmerged } from './merged-directories.ts'
import { taskEntries } from './root-entries.ts'
import { rootsOwnFiles } from './roots-own-files.ts'
import { filesElsewhere, hostsFile, ownedCopies } from './visible-files.ts'
import { secretsDir } from './secrets.ts'
import { terminalGroup } from './terminal-group.ts'
import type { SharedFiles } from './shared-alloc.ts'
import type { Workspace } from './workspace.ts'
import { boundDeviceDirectory, deviceDirectory, procMounts, queuesDirectory } from './pseudo-filesystems.ts'

/**
 * `shared`: how many of the first operations are the same for every task of this kind; see
 * LaunchSpec.rootShared.
 */
export type RootPlan = {
  readonly ops: readonly MountOp[]
  readonly shared: number
  readonly rows: readonly Row[]
}

const mountPoints = ['/proc', '/tmp', '/alloc', '/local'].map((at): MountOp => ({
  op: 'dir',
  at,
  mode: 0o755,
}))

const defaultTmpfsBytes = 512 * 1024 * 1024

export type RootOptions = {
  /** Bytes; a tmpfs is not to be larger. */
  readonly memory: number | null
  /**
   * In an ordinary user's namespace: no device nodes can be made there, and no /proc mounted where none is in
   * view.
   */
  readonly rootless?: boolean
  /** The task is in the host's pid namespace. */
  readonly seesProcesses?: boolean
  readonly host?: HostDirectories
  /** The task's uid is 0: modes and owners keep nothing from it. */
  readonly asRoot?: boolean
  /** The task has an IPC namespace of its own; the host's message queues are not for it to see. */
  readonly ownIpc?: boolean
  /** Its own host name; null: the host's. */
  readonly hostname?: string | null
  /** The directory of the host's that the task works in. */
  readonly workspace?: Pick<Workspace, 'at' | 'ops'> | null
  /** The allocation's files belong to another on the host. */
  readonly files?: SharedFiles | null
  /** It has secrets. */
  readonly secrets?: boolean
  /** Nothing that it can write of the allocation is on a disk. */
  readonly inMemory?: boolean
  /** The allocation was made for this task alone a moment ago: nobody has put anything there. */
  readonly isNew?: boolean
  /** Where the host's cgroups are mounted, and which are the task's own. */
  readonly cgroups?: { readonly host: Pick<CgroupHost, 'v1' | 'v2'>; readonly dirs: readonly string[] }
}

/**
 * The task's own root, in the order of mounting: system directories read-only, what the orchestrator put into
 * the task directory, /dev, /proc, /tmp, the two writable directories, then what the command asks for on top.
 * Throws INVALID_ARGUMENT for a source that does not exist.
 */
export function rootPlan(
  command: Readonly<Command>,
  alloc: TaskPaths,
  {
    memory,
    rootless = false,
    seesProcesses = false,
    host = hostDirectories,
    asRoot = false,
    ownIpc = false,
    hostname = null,
    workspace = null,
    files = null,
    secrets = false,
    inMemory = false,
    isNew = false,
    cgroups,
  }: RootOptions,
): RootPlan {
  const system =
    typeof command.root === 'object' ? embedded(command.root.embed) : { ops: host.system(), rows: [] }
  const place: MountOp[] = secrets ? [{ op: 'dir', at: secretsDir, mode: 0o755 }] : []
  const size = Math.min(defaultTmpfsBytes, memory ?? defaultTmpfsBytes)
  const tmpfs = (command.tmpfs ?? []).map(({ target, sizeBytes }) =>
    tmpfsAt(inside(target), sizeBytes ?? size),
  )
  const devices = rootless ? boundDeviceDirectory : deviceDirectory
  // Only who owns a pid namespace may mount its /proc; the host's is there already.
  const hostProc = rootless && seesProcesses
  const elsewhere = filesElsewhere(system.ops)
  const mounted = mountsOf(command, alloc, files)
  const view = cgroupView(cgroups?.host, cgroups?.dirs ?? [])
  const merged =
    isNew || typeof command.root === 'object'
      ? unmerged(system.ops)
      : mergedDirectories(system.ops, alloc, command, [...elsewhere.base, ...place])
  const isHosts = (path: string) => !merged.isTasks(path)
  const hosts = hostsFile(system.ops, hostname)
  const copies = [...(hosts === null ? [] : [hosts]), ...(rootless ? ownedCopies(system.ops) : [])].filter(
    ({ at }) => isHosts(at),
  )
  const own = taskEntries(isNew ? null : alloc.task, [...merged.system, ...place], command, {
    workspace: workspace?.at,
    merged: merged.names,
  })
  const base: MountOp[] = [
    ...merged.system,
    ...elsewhere.base,
    ...devices,
    ...mountPoints,
    ...view.base,
    ...place,
  ]
  const ops: MountOp[] = [
    ...base,
    ...own.ops,
    ...procMounts(host, hostProc ? bind('/proc', '/proc', false) : { op: 'proc', at: '/proc' }, asRoot),
    ...(tmpfs.some(({ at }) => at === '/tmp') ? [] : [tmpfsAt('/tmp', size)]),
    ...(tmpfs.some(({ at }) => at === '/dev/shm') ? [] : [tmpfsAt('/dev/shm', size)]),
    { op: 'pts', at: '/dev/pts', gid: rootless ? null : terminalGroup() },
    ...(ownIpc && host.hasProc('sys/fs/mqueue') ? [{ op: 'mqueue' as const, at: queuesDirectory }] : []),
    ...elsewhere.own,
    ...view.own,
    ...(asRoot && system.ops.some(({ at }) => at === '/etc')
      ? rootsOwnFiles('/etc').filter(isHosts).map(mask)
      : []),
    // Files of our own lie below the task's directory.
    ...(copies.length === 0 ? [] : [tmpfsAt('/local', ownFilesBytes), ...copies]),
    ...allocation(alloc, files?.map ?? null),
    ...(inMemory ? allocationInMemory(tmpfs) : []),
    ...withWorkspace(withTmpfs(tmpfs, mounted.ops), workspace),
    ...(command.devices ?? []).map(device => ({
      ...bind(deviceNode(device), inside(device), false),
      devices: true,
    })),
    ...(secrets ? [{ op: 'secrets' as const, at: secretsDir }] : []),
  ]
  const rows = [...system.rows, ...merged.rows, ...own.rows, ...mounted.rows]
  if (
    typeof command.root === 'object' ||
    merged.names.size > 0 ||
    !needsNoPlace(ops.slice(base.length), [...elsewhere.base, ...view.base, ...place])
  )
    return { ops, shared: 0, rows }
  return rootless
    ? { ops: ops.toSpliced(base.length, 0, visibleProc), shared: base.length + 1, rows }
    : { ops, shared: base.length, rows }
}

/**
 * The kernel lets an ordinary user mount a /proc only where another one is in full view
 * (mount_too_revealing(), fs/namespace.c), and in a root put together beforehand there is none. The task's
 * own comes to lie over it, and only a task without capabilities, who cannot take that away again, is let
 * into a shared root.
 */
const visibleProc = bind('/proc', '/proc', true)

/**
 * A shared root is read-only from the start: a mount point of one's own cannot be made there, only below what
 * is mounted in it. What covers a file that is there already needs none.
 */
function needsNoPlace(ops: readonly MountOp[], places: readonly MountOp[]): boolean {
  return ops.every(
    ({ op, at }) =>
      op === 'file' ||
      op === 'mask' ||
      writable.some(
        point => at.startsWith(point) && (at.length === point.length || at[point.length] === '/'),
      ) ||
      places.some(place => place.at === at),
  )
}

/** What is mounted there is the task's own, and so are places in it. */
const writable = [...mountPoints.map(({ at }) => at), '/dev/shm', '/dev/pts', queuesDirectory]

const ownFilesBytes = 16 * 1024 * 1024

const mask = (at: string): MountOp => ({ op: 'mask', at })

function embedded(embed: Readonly<Record<string, string>>): Pick<RootPlan, 'ops' | 'rows'> {
  const entries = Object.entries(embed)
  const absent = entries.filter(([source]) => !statSync(source, { throwIfNoEntry: false }))
  return {
    ops: entries
      .filter(entry => !absent.includes(entry))
      .map(([source, at]) => bind(source, inside(at), true)),
    rows: absent.map(([source, at]) =>
      skipped(
        { name: 'root', kind: 'isolation', requested: `${source} at ${inside(at)}` },
        `${source} does not exist`,
        `create ${source}`,
      ),
    ),
  }
}

function mountsOf(
  { mounts = [] }: Readonly<Command>,
  alloc: TaskPaths,
  files: SharedFiles | null,
): Pick<RootPlan, 'ops' | 'rows'> {
  const each = mounts.map(mount => {
    const at = inside(mount.target)
    const { source, readOnly = false } = mount
    const op = bound(existing(source), at, readOnly, baseOf(source, alloc))
    const mapped = files?.sources.has(source) ? { ...op, map: files.map } : op
    const kernels = kernelFilesOf(mount, at)
    return { ops: [mapped, ...kernels.readOnly.map(readOnlyAt)], rows: kernels.rows }
  })
  return { ops: each.flatMap(({ ops }) => ops), rows: each.flatMap(({ rows }) => rows) }
}

const readOnlyAt = (at: string): MountOp => ({ op: 'readonly', at })

/** After what it lies in, and before what lies in it. */
function withWorkspace(ops: readonly MountOp[], workspace: RootOptions['workspace']): readonly MountOp[] {
  if (!workspace) return ops
  const holdsIt = ({ at }: MountOp): boolean => workspace.at.startsWith(`${at}/`)
  return [...ops.filter(holdsIt), ...workspace.ops, ...ops.filter(op => !holdsIt(op))]
}
