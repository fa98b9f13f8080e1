import { readlinkSync } from 'node:fs'
import { textIfReadable } from './if-there.ts'

/** `first` to `first + count - 1` have a number here. */
export type IdRange = { readonly first: number; readonly count: number }

/** Who has a number in the user namespace of this process: user_namespaces(7). */
export type IdMaps = {
  readonly users: readonly IdRange[]
  readonly groups: readonly IdRange[]
  /** Whether a process there may leave groups and take on others. */
  readonly setsGroups: boolean
  /**
   * Somebody has made this user namespace, whoever has a number in it: its root has no power over what is the
   * host's.
   */
  readonly isMade: boolean
}

/** Of this process. Where /proc does not say, it is in no user namespace but the host's. */
export function idMaps(proc = '/proc'): IdMaps {
  return {
    users: rangesOf(`${proc}/self/uid_map`),
    groups: rangesOf(`${proc}/self/gid_map`),
    setsGroups: textIfReadable(`${proc}/self/setgroups`, 'latin1')?.trim() !== 'deny',
    isMade: namespaceOf(`${proc}/self/ns/user`) >= firstMade,
  }
}

/**
 * Numbers of namespaces that are made begin here, behind those that the kernel is born with
 * (PROC_DYNAMIC_FIRST, include/linux/proc_ns.h). Not compared with the one of the first user namespace
 * (PROC_USER_INIT_INO): kernels that imitate Linux have their own.
 */
const firstMade = 0xf0000000

/** As in the host's own user namespace: everybody there is. */
const everybody: readonly IdRange[] = [{ first: 0, count: 4_294_967_295 }]

export function isEverybody(ranges: readonly IdRange[]): boolean {
  return countOf(ranges) === countOf(everybody)
}

export function isMapped(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ first, count }) => id >= first && id - first < count)
}

export function countOf(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0)
}

/** `0-999, 65534`. */
export function listed(ranges: readonly IdRange[]): string {
  return ranges
    .map(({ first, count }) => (count === 1 ? String(first) : `${first}-${first + count - 1}`))
    .join(', ')
}

function rangesOf(file: string): readonly IdRange[] {
  const text = textIfReadable(file, 'latin1')
  if (text === null) return everybody
  return [...text.matchAll(/^\s*(\d+)\s+\d+\s+(\d+)\s*$/gm)].map(([, first, count]) => ({
    first: Number(first),
    count: Number(count),
  }))
}

/** 0: not known. */
function namespaceOf(link: string): number {
  try {
    return Number(/\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? 0)
  } catch {
    return 0
  }
}
