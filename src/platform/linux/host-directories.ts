import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { MountOp } from '../../spawn/spec.ts'

/**
 * What the host's own root looks like, as far as a task may see it. Looked at once: it is needed for every
 * start.
 */
export type HostDirectories = {
  /** The read-only set. */
  readonly system: () => readonly MountOp[]
  /** Whether this kernel has such an entry in /proc. */
  readonly hasProc: (name: string) => boolean
}

const names = ['bin', 'sbin', 'etc', 'lib', 'lib32', 'lib64', 'usr']

/** Whether it is of the system at the top of a root, on this host or another. */
export function isSystemName(name: string): boolean {
  return names.includes(name)
}

export const hostDirectories: HostDirectories = readHostDirectories('/')

export function readHostDirectories(root: string): HostDirectories {
  let system: readonly MountOp[] | undefined
  const proc = new Map<string, boolean>()
  return {
    system: () => {
      system ??= names.flatMap(name => systemDirectory(root, name))
      return system
    },
    hasProc: name => {
      const known = proc.get(name) ?? existsSync(join(root, 'proc', name))
      proc.set(name, known)
      return known
    },
  }
}

function systemDirectory(root: string, name: string): MountOp[] {
  const source = join(root, name)
  const stats = lstatSync(source, { throwIfNoEntry: false })
  if (!stats) return []
  if (stats.isSymbolicLink()) return [{ op: 'symlink', to: readlinkSync(source), at: `/${name}` }]
  return [{ op: 'bind', source, base: null, at: `/${name}`, readOnly: true, devices: false }]
}
