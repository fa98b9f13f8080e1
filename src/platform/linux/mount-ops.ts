import { posix } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import type { MountOp } from '../../spawn/spec.ts'

export function bind(
  source: string,
  at: string,
  readOnly: boolean,
  base: string | null = null,
): MountOp & { op: 'bind' } {
  return { op: 'bind', source, base, at, readOnly, devices: false }
}

/** What lies beneath a base begins with it, letter by letter, however it is spelt. */
export function bound(
  source: string,
  at: string,
  readOnly: boolean,
  base: string | null,
): MountOp & { op: 'bind' } {
  return bind(base === null ? source : posix.normalize(source), at, readOnly, base)
}

export function tmpfsAt(at: string, sizeBytes: number): MountOp & { op: 'tmpfs' } {
  return { op: 'tmpfs', at, sizeBytes, mode: 0o1777 }
}

/**
 * Mounts in their order, each tmpfs before all of them but after the last that it lies inside, which would
 * hide it.
 */
export function withTmpfs(tmpfs: readonly MountOp[], mounts: readonly MountOp[]): MountOp[] {
  return tmpfs.reduce<MountOp[]>(
    (ops, one) => {
      const holder = ops.findLastIndex(({ at }) => one.at.startsWith(`${at}/`))
      return ops.toSpliced(holder + 1, 0, one)
    },
    [...mounts],
  )
}

/** An absolute path in the new root, without `..` or a trailing slash. */
export function inside(path: string): string {
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
