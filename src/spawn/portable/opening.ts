import { closeSync, existsSync, fstatSync, lstatSync, type Stats } from 'node:fs'
import { join, sep } from 'node:path'

/** Descriptors of the supervisor's, by their number there: what they are here. */
export type ExternalDescriptors = ReadonlyMap<number, number>

export const isExternal = (path: string): boolean => path.startsWith('fd:')

export function externalDescriptor(path: string, external: ExternalDescriptors): number {
  const fd = external.get(Number(path.slice('fd:'.length)))
  if (fd === undefined) throw refused('ENOENT', 2, `${path} is not open`)
  return fd
}

const descriptors = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd'

export const descriptorPath = (fd: number): string => `${descriptors}/${fd}`

/** Not on Windows, and not on a Linux without /proc. */
export const hasDescriptorPaths = (): boolean => process.platform !== 'win32' && existsSync(descriptors)

/**
 * What a task could have put there may be a plain file of one name, and nothing else. Else the descriptor is
 * closed.
 */
export function checkedFile(fd: number, path: string): number {
  try {
    refuseUnlessPlain(fstatSync(fd), path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

export function refuseUnlessPlain(stat: Stats, path: string): void {
  if (!stat.isFile() || stat.nlink !== 1)
    throw refused('EINVAL', 22, `${path} is not a plain file of one name`)
}

export function refuseLinks(base: string, path: string): void {
  const components = path.split(sep)
  for (let depth = 1; depth < components.length; depth++) {
    const parent = join(base, ...components.slice(0, depth))
    if (!lstatSync(parent).isDirectory()) throw refused('ELOOP', 40, `${parent} is not a directory`)
  }
}

export function refused(code: string, errno: number, message: string): Error {
  return Object.assign(new Error(message), { code, errno: -errno, path: message })
}
