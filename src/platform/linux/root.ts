import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type EntryName, isText, joined, shown } from '../../alloc/entry-name.ts'
import type { Command } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import type { MountOp } from '../../spawn/spec.ts'
import type { TaskPaths } from '../port.ts'
import { type Row, skipped } from '../rows.ts'
import { baseOf } from '../streams.ts'
import { type HostDirectories, hostDirectories } from './host-directories.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import { kernelFilesOf } from './kernel-files.ts'
import { deviceNode, existing } from './mount-sources.ts'
import { cgroupView } from './own-cgroups.ts'
import { rootsOwnFiles } from './roots-own-files.ts'
import { filesElsewhere, hostsFile, ownedCopies } from './visible-files.ts'
import { terminalGroup } from './terminal-group.ts'
import { boundDeviceDirectory, deviceDirectory, procMounts } from './pseudo-filesystems.ts'

/** `shared`: how many of the first operations are the same for every task of this kind; see LaunchSpec.rootShared. */
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

/** Names at the top of the new root that belong to the system or to holdfast; a task directory cannot replace them. */
const reserved = new Set([
  'bin',
  'sbin',
  'etc',
  'lib',
  'lib32',
  'lib64',
  'usr',
  'dev',
  'proc',
  'sys',
  'tmp',
  'alloc',
  'local',
])

export type RootOptions = {
  /** Bytes; a tmpfs is not to be larger. */
  readonly memory: number | null
  /** In an ordinary user's namespace: no device nodes can be made there, and no /proc mounted where none is in view. */
  readonly rootless?: boolean
  /** The task is in the host's pid namespace. */
  readonly seesProcesses?: boolean
  readonly host?: HostDirectories
  /** The task's uid is 0: modes and owners keep nothing from it. */
  readonly asRoot?: boolean
  /** Its own host name; null: the host's. */
  readonly hostname?: string | null
  /** Where the host's cgroups are mounted, and which are the task's own. */
  readonly cgroups?: { readonly host: Pick<CgroupHost, 'v1' | 'v2'>; readonly dirs: readonly string[] }
}

/**
 * The task's own root, in the order of mounting: system directories read-only, what the orchestrator put into the task
 * directory, /dev, /proc, /tmp, the two writable directories, then what the command asks for on top.
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
    hostname = null,
    cgroups,
  }: RootOptions,
): RootPlan {
  const system =
    typeof command.root === 'object' ? embedded(command.root.embed) : { ops: host.system(), rows: [] }
  const own = taskEntries(alloc.task, system.ops, placedBy(command))
  const size = Math.min(defaultTmpfsBytes, memory ?? defaultTmpfsBytes)
  const tmpfs = (command.tmpfs ?? []).map(({ target, sizeBytes }) =>
    tmpfsAt(inside(target), sizeBytes ?? size),
  )
  const devices = rootless ? boundDeviceDirectory : deviceDirectory
  // Only who owns a pid namespace may mount its /proc; the host's is there already.
  const hostProc = rootless && seesProcesses
  const elsewhere = filesElsewhere(system.ops)
  const hosts = hostsFile(system.ops, hostname)
  const copies = [...(hosts === null ? [] : [hosts]), ...(rootless ? ownedCopies(system.ops) : [])]
  const mounted = mountsOf(command, alloc)
  const view = cgroupView(cgroups?.host, cgroups?.dirs ?? [])
  const base: MountOp[] = [...system.ops, ...elsewhere.base, ...devices, ...mountPoints, ...view.base]
  const ops: MountOp[] = [
    ...base,
    ...own.ops,
    ...procMounts(host, hostProc ? bind('/proc', '/proc', false) : { op: 'proc', at: '/proc' }, asRoot),
    ...(tmpfs.some(({ at }) => at === '/tmp') ? [] : [tmpfsAt('/tmp', size)]),
    ...(tmpfs.some(({ at }) => at === '/dev/shm') ? [] : [tmpfsAt('/dev/shm', size)]),
    { op: 'pts', at: '/dev/pts', gid: rootless ? null : terminalGroup() },
    ...elsewhere.own,
    ...view.own,
    ...(asRoot && system.ops.some(({ at }) => at === '/etc') ? rootsOwnFiles('/etc').map(mask) : []),
    // Files of our own lie below the task's directory.
    ...(copies.length === 0 ? [] : [tmpfsAt('/local', ownFilesBytes), ...copies]),
    bind(alloc.shared, '/alloc', false),
    // Written by shims alone: a task can read its log there, and forge, erase or replace none, its own or a neighbour's.
    { op: 'readonly', at: '/alloc/logs' },
    bind(alloc.local, '/local', false),
    ...tmpfs,
    ...mounted.ops,
    ...(command.devices ?? []).map(device => ({
      ...bind(deviceNode(device), inside(device), false),
      devices: true,
    })),
  ]
  const rows = [...system.rows, ...own.rows, ...mounted.rows]
  if (
    typeof command.root === 'object' ||
    !needsNoPlace(ops.slice(base.length), [...elsewhere.base, ...view.base])
  )
    return { ops, shared: 0, rows }
  return rootless
    ? { ops: ops.toSpliced(base.length, 0, visibleProc), shared: base.length + 1, rows }
    : { ops, shared: base.length, rows }
}

/**
 * The kernel lets an ordinary user mount a /proc only where another one is in full view (mount_too_revealing(), fs/namespace.c), and in a
 * root put together beforehand there is none. The task's own comes to lie over it, and only a task without capabilities, who cannot take
 * that away again, is let into a shared root.
 */
const visibleProc = bind('/proc', '/proc', true)

/**
 * A shared root is read-only from the start: a mount point of one's own cannot be made there, only below what is mounted in it. What covers a file
 * that is there already needs none.
 */
function needsNoPlace(ops: readonly MountOp[], places: readonly MountOp[]): boolean {
  const below = [...mountPoints.map(({ at }) => at), '/dev/shm', '/dev/pts']
  const made = new Set([...below, ...places.map(({ at }) => at)])
  return ops.every(
    ({ op, at }) =>
      op === 'file' || op === 'mask' || made.has(at) || below.some(point => at.startsWith(`${point}/`)),
  )
}

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

function mountsOf({ mounts = [] }: Readonly<Command>, alloc: TaskPaths): Pick<RootPlan, 'ops' | 'rows'> {
  const each = mounts.map(mount => {
    const at = inside(mount.target)
    const { source, readOnly = false } = mount
    const op = bound(existing(source), at, readOnly, baseOf(source, alloc))
    const kernels = kernelFilesOf(mount, at)
    return { ops: [op, ...kernels.readOnly.map(readOnlyAt)], rows: kernels.rows }
  })
  return { ops: each.flatMap(({ ops }) => ops), rows: each.flatMap(({ rows }) => rows) }
}

const readOnlyAt = (at: string): MountOp => ({ op: 'readonly', at })

/** What the command itself says of the top of the root goes before what happens to lie in the task directory, and is no clash. */
function placedBy({ mounts = [], tmpfs = [] }: Readonly<Command>): Set<string> {
  return new Set([...mounts, ...tmpfs].map(({ target }) => posix.normalize(target)))
}

function taskEntries(
  directory: string,
  system: readonly MountOp[],
  placed: ReadonlySet<string>,
): { ops: MountOp[]; rows: Row[] } {
  const taken = new Set(system.map(({ at }) => at.split('/')[1]))
  const ops: MountOp[] = []
  const rows: Row[] = []
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const name = entry.name.toString()
    const source = join(directory, name)
    if (!isText(entry.name)) {
      rows.push(noText(joined(directory, entry.name)))
      continue
    }
    if (name === 'alloc' || name === 'local' || placed.has(`/${name}`)) continue
    if (reserved.has(name) || taken.has(name)) rows.push(clash(source, name))
    else if (entry.isSymbolicLink()) {
      const to = readlinkSync(source, { encoding: 'buffer' })
      if (isText(to)) ops.push({ op: 'symlink', to: to.toString(), at: `/${name}` })
      else rows.push(noText(source))
    } else ops.push(bind(source, `/${name}`, true))
  }
  return { ops, rows }
}

/** Bytes that are no UTF-8, in its name or where it leads: nothing that is asked for here can say them. */
function noText(source: EntryName): Row {
  return skipped(
    { name: 'root', kind: 'isolation', requested: `${shown(source)} at the top of the root` },
    'its name, or what it links to, is no UTF-8',
    'give it a name that is, or put it into a directory',
  )
}

function clash(source: string, name: string): Row {
  return skipped(
    { name: 'root', kind: 'isolation', requested: `${source} at /${name}` },
    `/${name} is the system's in the task's root`,
    `give it another name, or name it in command.root.embed`,
  )
}

function bind(
  source: string,
  at: string,
  readOnly: boolean,
  base: string | null = null,
): MountOp & { op: 'bind' } {
  return { op: 'bind', source, base, at, readOnly, devices: false }
}

/** What lies beneath a base begins with it, letter by letter, however it is spelt. */
function bound(source: string, at: string, readOnly: boolean, base: string | null): MountOp {
  return bind(base === null ? source : posix.normalize(source), at, readOnly, base)
}

function tmpfsAt(at: string, sizeBytes: number): MountOp & { op: 'tmpfs' } {
  return { op: 'tmpfs', at, sizeBytes, mode: 0o1777 }
}

/** An absolute path in the new root, without `..` or a trailing slash. */
function inside(path: string): string {
  const at = posix.join('/', path)
  const clean = at.length > 1 && at.endsWith('/') ? at.slice(0, -1) : at
  if (clean === '/' || path.includes('\0'))
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `a mount needs a path below the task's root, got ${JSON.stringify(path)}`,
      { path },
    )
  return clean
}
