import type { Command } from '../../api.ts'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { LandlockRule, MountOp } from '../../spawn/spec.ts'
import type { TaskPaths } from '../port.ts'
import { enforced, loosened, type Row, skipped, weakened } from '../rows.ts'
import { type HostDirectories, hostDirectories } from './host-directories.ts'
import { queuesDirectory, defaultDevices } from './pseudo-filesystems.ts'
import { filesElsewhere } from './visible-files.ts'

/** What Landlock is to do for a task. */
export type Landlocked = {
  /** It keeps the task from all files but those that its plan shows. */
  readonly restricts: boolean
  readonly scopes: readonly ('signal' | 'abstract')[]
  readonly row: Row
}

type Surroundings = {
  /** The kernel's version of Landlock; 0: none, or one that forbids to move files between directories. */
  readonly version: number
  /** Of the task: `none` where it was refused, `host` where the host's was chosen. */
  readonly root: 'own' | 'none' | 'host'
  /** It has processes of its own, or was refused them: signals to others are none of its business. */
  readonly ownProcesses: boolean
  /** Abstract sockets of its network are the host's. */
  readonly hostNetwork: boolean
}

const what = { name: 'landlock', kind: 'isolation', requested: 'what the plan shows' } as const
const newer = 'Linux 6.12 or newer'
const versionOfScopes = 6

/** In the order of the kernel's versions: what one lacks that is older. */
const lacks: readonly (readonly [version: number, what: string])[] = [
  [3, 'truncation of files (version 3)'],
  [5, 'ioctl on devices (version 5)'],
  [6, 'signals and abstract sockets (version 6)'],
]

/**
 * A second wall where a task has a root of its own: what the kernel lacks is told, and strict passes it.
 * Where it is the only one, that is less than the default.
 */
export function landlockOf(
  command: Readonly<Command>,
  { version, root, ownProcesses, hostNetwork }: Surroundings,
): Landlocked {
  const second = (row: Row): Row => (root === 'own' ? { ...row, chosen: true } : row)
  if (version === 0) return { restricts: false, scopes: [], row: second(none) }
  const scopes = [
    ...(ownProcesses ? (['signal'] as const) : []),
    ...(hostNetwork ? (['abstract'] as const) : []),
  ].filter(() => version >= versionOfScopes)
  const without = (reason: string): Landlocked => ({ restricts: false, scopes, row: loosened(what, reason) })
  if (root === 'host') return without("the task was given the host's own root")
  const mounter = mayMount(command)
  if (mounter !== null)
    return without(`${mounter}: it may mount, which nobody may whose files Landlock restricts`)
  if (root === 'none' && command.noNewPrivileges === false)
    return {
      ...without('asked for, by noNewPrivileges: false: only root restricts who may gain privileges'),
      scopes: [],
    }
  const missing = lacks.flatMap(([since, lack]) => (version < since ? [lack] : []))
  const reason = `this kernel has version ${version} of Landlock, without ${missing.join(', ')}`
  const row = missing.length === 0 ? enforced(what) : second(weakened(what, reason, newer))
  return { restricts: true, scopes, row }
}

const none = skipped(
  what,
  'this kernel has no Landlock, or version 1, which forbids to move files between directories',
  'a kernel with CONFIG_SECURITY_LANDLOCK (Linux 5.19 or newer), and landlock in lsm= of its command line',
)

/** For what runs inside a task that has the host's root. */
export const landlockOfHostRoot: Row = loosened(what, "the task has the host's own root")

const versionOfTcp = 4

/**
 * What a task has that was to have no network, where it cannot have one of its own: its filter refuses it
 * all sockets that lead out, and Landlock those that it is handed.
 */
export function offlineRow(row: Row, { scopes }: Pick<Landlocked, 'scopes'>, version: number): Row {
  const left = [
    ...(version < versionOfTcp
      ? [
          `a socket of the network that somebody hands it works (version ${version} of Landlock, without TCP: version 4)`,
        ]
      : ['a socket that somebody hands it works, but for TCP to bind and connect']),
    ...(scopes.includes('abstract') ? [] : ['abstract sockets of others can be reached']),
  ]
  const is = `it is in the host's network, without loopback, and can make only unix and netlink sockets`
  return weakened(row, `${row.reason ?? ''}: ${is}; ${left.join(', and ')}`, row.hint)
}

/** With what is left where the network is the host's. */
export function networkRow(row: Row, landlock: Pick<Landlocked, 'scopes'>): Row {
  if (row.status !== 'skipped') return row
  return { ...row, reason: `${row.reason ?? ''}; ${leftOfHostNetwork(landlock)}` }
}

function leftOfHostNetwork({ scopes }: Pick<Landlocked, 'scopes'>): string {
  return scopes.includes('abstract')
    ? 'it reaches what listens on loopback; abstract sockets of others are refused'
    : 'it reaches what listens on loopback, and abstract sockets, over which a process of the host can hand it files and directories'
}

/** By its own right, or in a user namespace that its filter would refuse it. */
function mayMount({ capabilities = [], seccomp }: Readonly<Command>): string | null {
  if (capabilities.some(name => /^(CAP_)?SYS_ADMIN$/i.test(name))) return 'the task keeps CAP_SYS_ADMIN'
  return seccomp === 'off' ? "asked for, by seccomp: 'off'" : null
}

/** Of a root of its own: what is mounted there, as it is mounted; whatever else lies in it may be listed. */
export function rulesOfRoot(ops: readonly MountOp[]): LandlockRule[] {
  // The last mount on a place is what is there.
  const rules = new Map<string, LandlockRule>([['/', { at: '/', access: 'list' }]])
  for (const op of ops) {
    const access = accessOf(op)
    if (access !== null) rules.set(op.at, { at: op.at, access })
  }
  return [...rules.values()]
}

/**
 * What runs inside a task is kept in its root; what is read-only there is so by its mounts. mq_open(3) takes
 * no path that leads through that root: of queues the root of their own file system is named.
 */
export const rulesOfSession: readonly LandlockRule[] = [
  { at: '/', access: 'write' },
  { at: queuesDirectory, access: 'write' },
]

function accessOf(op: MountOp): LandlockRule['access'] | null {
  switch (op.op) {
    case 'bind':
      if (op.devices) return 'device'
      return op.readOnly ? 'read' : 'write'
    case 'entries':
    case 'secrets':
      return 'read'
    case 'overlay':
    case 'tmpfs':
    case 'proc':
    case 'mqueue':
    case 'pts':
      return 'write'
    case 'node':
      return 'device'
    // Over a file that is shown already, or less of it.
    case 'file':
    case 'mask':
    case 'freeze':
    case 'readonly':
    case 'dir':
    case 'symlink':
      return null
  }
}

/**
 * In the host's root, where that alone is the wall: what a root of its own would show, at the host's own
 * places. What other programs share there is not shown: /tmp (TMPDIR is the allocation's), /dev/shm,
 * terminals. Logs are written by shims alone.
 */
export function rulesOfHost(
  { shared, task, local }: TaskPaths,
  { system }: Pick<HostDirectories, 'system'> = hostDirectories,
): LandlockRule[] {
  const shown = system()
  const sources = [...shown, ...filesElsewhere(shown).own].flatMap(op =>
    op.op === 'bind' ? [op.source] : [],
  )
  const parts = readdirSync(shared).filter(name => name !== 'logs')
  return [
    ...[...sources, '/proc', '/sys/fs/cgroup', task, shared].map(at => ({ at, access: 'read' as const })),
    ...defaultDevices.map(at => ({ at, access: 'device' as const })),
    ...[local, ...parts.map(part => join(shared, part))].map(at => ({ at, access: 'write' as const })),
  ].flatMap(({ at, access }) => (existsSync(at) ? [{ at: realpathSync(at), access }] : []))
}
