import { realpathSync, statfsSync } from 'node:fs'
import { posix } from 'node:path'
import type { Mount } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import { type Row, weakened } from '../rows.ts'
import { readMounts } from './cgroup-mode.ts'

/**
 * File systems whose files are the kernel's own knobs: a write changes the host, and root without
 * capabilities owns most of them. Names as in /proc/filesystems, numbers as in linux/magic.h. One of the two
 * is enough to know them by.
 */
const kernelTypes: Readonly<Record<string, number>> = {
  proc: 0x9fa0,
  sysfs: 0x62656572,
  cgroup: 0x27e0eb,
  cgroup2: 0x63677270,
  cpuset: 0x27e0eb,
  debugfs: 0x64626720,
  tracefs: 0x74726163,
  securityfs: 0x73636673,
  selinuxfs: 0xf97cff8c,
  smackfs: 0x43415d53,
  bpf: 0xcafe4a11,
  configfs: 0x62656570,
  efivarfs: 0xde5e81e4,
  pstore: 0x6165676c,
  binfmt_misc: 0x42494e4d,
  fusectl: 0x65735543,
  nfsd: 0x6e667364,
  rpc_pipefs: 0x67596969,
  resctrl: 0x7655821,
  xenfs: 0xabba1974,
}

const magicNumbers: ReadonlySet<number> = new Set(Object.values(kernelTypes))

/** Where in a task's root what a writable mount brings along is made read-only, and the row that says so. */
export type KernelFiles = { readonly readOnly: readonly string[]; readonly rows: readonly Row[] }

/**
 * Nobody is given the kernel's files to write, whatever his user and however their place is spelt. Throws
 * INVALID_ARGUMENT where a writable mount is of nothing else; those beneath what is mounted are read-only.
 */
export function kernelFilesOf({ source, readOnly = false }: Mount, at: string): KernelFiles {
  if (readOnly) return { readOnly: [], rows: [] }
  // The kernel's own walk: Node's takes away a name and `..` before it looks whether the name is a link.
  const place = realpathSync.native(source)
  if (isKernels(place)) throw refusal(source)
  const beneath = kernelsBeneath(place)
  if (beneath.length === 0) return { readOnly: [], rows: [] }
  return {
    readOnly: beneath.map(point => posix.join(at, posix.relative(place, point))),
    rows: [rowOf(source, at, beneath)],
  }
}

function isKernels(path: string): boolean {
  return magicNumbers.has(statfsSync(path).type)
}

function refusal(source: string): HoldfastError {
  return new HoldfastError(
    'INVALID_ARGUMENT',
    `mounts: ${source} holds the kernel's own files, which no task may write`,
    { path: source, stage: 'mount', hint: `mount it read-only (readOnly: true, --mount ${source}:ro)` },
  )
}

/**
 * Mounts of the kernel's files below `place`, less those that lie in another of them: what is read-only is so
 * with all beneath it.
 */
function kernelsBeneath(place: string): string[] {
  const under = place === '/' ? '/' : `${place}/`
  const points = readMounts('/proc').flatMap(({ point, type }) =>
    type in kernelTypes && point.startsWith(under) && point !== place ? [point] : [],
  )
  return [...new Set(points)].filter(point => !points.some(above => point.startsWith(`${above}/`)))
}

function rowOf(source: string, at: string, beneath: readonly string[]): Row {
  return weakened(
    { name: 'mounts', kind: 'isolation', requested: `${source} at ${at}, writable` },
    `the kernel's own files beneath it are read-only: ${beneath.join(', ')}`,
    'mount only what the task is to write, or all of it read-only (readOnly: true)',
  )
}
