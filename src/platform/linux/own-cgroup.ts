import { closeSync, constants, fstatSync, openSync, readlinkSync, statfsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isOursOrRoots } from '../../alloc/trust.ts'
import { parentName } from './cgroup-parents.ts'

/** CGROUP_SUPER_MAGIC and CGROUP2_SUPER_MAGIC (linux/magic.h). */
export const cgroupTypes: ReadonlySet<number> = new Set([0x27e0eb, 0x63677270])

/**
 * What a path of a record leads to: nothing (any more), a cgroup of root's or ours, or something else, which
 * is not to be touched.
 */
type Kind = 'absent' | 'cgroup' | 'foreign'

/**
 * A record is a file, and what it names is believed only when it is what it is called: a directory of a
 * cgroup file system, in which nobody can make a link, under that very path, so that no link was followed on
 * the way.
 */
export function kindOf(dir: string): Kind {
  let fd: number
  try {
    fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENODEV' ? 'absent' : 'foreign'
  }
  try {
    const link = `/proc/self/fd/${fd}`
    const is = cgroupTypes.has(statfsSync(`${link}/`).type) && readlinkSync(link) === dir
    return is && isOursOrRoots(fstatSync(fd, { bigint: true })) ? 'cgroup' : 'foreign'
  } catch {
    return 'foreign'
  } finally {
    closeSync(fd)
  }
}

/**
 * Never anything that is not `.../holdfast/<key>`, or below that an exec session's by its key, whatever a
 * record says.
 */
export function isOurs(dir: string): boolean {
  if (!dir.startsWith('/') || dir.split('/').includes('..')) return false
  return basename(dirname(dir)) === parentName || isOfSession(dir)
}

/** Of an exec session: `.../holdfast/<its task's>/<key>`. */
function isOfSession(dir: string): boolean {
  return basename(dirname(dirname(dir))) === parentName && /^[0-9a-z]{14}$/.test(basename(dir))
}

/** The same, and it is there, and a cgroup. */
export function isOwnCgroup(dir: string): boolean {
  return isOurs(dir) && kindOf(dir) === 'cgroup'
}
