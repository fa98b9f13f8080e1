import type { MountOp } from '../../spawn/spec.ts'
import type { HostDirectories } from './host-directories.ts'

/** Character devices every program may expect: major and minor from Documentation/admin-guide/devices.txt. */
const nodes: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
]

export const defaultDevices: readonly string[] = nodes.map(([name]) => `/dev/${name}`)

export const queuesDirectory = '/dev/mqueue'

const links: readonly (readonly [name: string, to: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  // Of the task's own terminals.
  ['ptmx', 'pts/ptmx'],
]

export const deviceDirectory: readonly MountOp[] = devicesBy(([name, major, minor]) => ({
  op: 'node',
  at: `/dev/${name}`,
  major,
  minor,
}))

/** Where no node can be made, or would work: the host's own. Read-only is the file, not the device. */
export const boundDeviceDirectory: readonly MountOp[] = devicesBy(([name]) => ({
  ...{ op: 'bind', source: `/dev/${name}`, base: null, at: `/dev/${name}` },
  ...{ readOnly: true, devices: true },
}))

function devicesBy(make: (node: (typeof nodes)[number]) => MountOp): MountOp[] {
  return [
    { op: 'dir', at: '/dev', mode: 0o755 },
    ...nodes.map(make),
    ...links.map(([name, to]): MountOp => ({ op: 'symlink', to, at: `/dev/${name}` })),
    { op: 'dir', at: '/dev/shm', mode: 0o755 },
    { op: 'dir', at: '/dev/pts', mode: 0o755 },
    { op: 'dir', at: queuesDirectory, mode: 0o755 },
  ]
}

/**
 * The OCI runtimes' lists (moby, oci/defaults.go: MaskedPaths and ReadonlyPaths), less what is in /sys, which
 * a task does not have. sysrq-trigger is hidden rather than read-only: that is one mount instead of two. Root
 * without capabilities owns most of these files and could write them otherwise.
 */
const masked = [
  'acpi',
  'asound',
  'interrupts',
  'kcore',
  'keys',
  'latency_stats',
  'sched_debug',
  'scsi',
  'sysrq-trigger',
  'timer_list',
  'timer_stats',
]
/**
 * Each file of `pressure` that was opened for writing waits for RCU when it is closed: thousands keep a
 * killed task from ending for a minute.
 */
const readOnly = ['bus', 'fs', 'irq', 'pressure', 'sys']

/**
 * What modes keep from others, and root without capabilities owns: the kernel's memory, page by page, and its
 * log.
 */
const maskedForRoot = [
  'kmsg',
  'kpagecgroup',
  'kpagecount',
  'kpageflags',
  'mtrr',
  'pagetypeinfo',
  'slabinfo',
  'vmallocinfo',
  'vmcore',
]

/** A mount each costs the start some 10 us, so what this kernel does not have is left out. */
export function procMounts(
  host: HostDirectories,
  proc: MountOp = { op: 'proc', at: '/proc' },
  asRoot = false,
): MountOp[] {
  const covers = asRoot ? coversForRoot : coversForOthers
  const known = covers.get(host) ?? coversIn(host, asRoot)
  covers.set(host, known)
  return [proc, ...known]
}

/** By host, which is looked at once. */
const coversForRoot = new WeakMap<HostDirectories, readonly MountOp[]>()
const coversForOthers = new WeakMap<HostDirectories, readonly MountOp[]>()

function coversIn({ hasProc }: HostDirectories, asRoot: boolean): MountOp[] {
  return [
    ...[...masked, ...(asRoot ? maskedForRoot : [])]
      .filter(hasProc)
      .map((name): MountOp => ({ op: 'mask', at: `/proc/${name}` })),
    ...readOnly.filter(hasProc).map((name): MountOp => ({ op: 'readonly', at: `/proc/${name}` })),
  ]
}
