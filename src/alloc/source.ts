import { realpath } from 'node:fs/promises'
import { HoldfastError } from '../errors.ts'
import { Directory } from './directory.ts'
import type { EntryName } from './entry-name.ts'
import { errnoOf } from './failure.ts'
import { isDirectory } from './make-directories.ts'
import { TrustedWalk } from './trusted-walk.ts'

/**
 * Where a source lies: the directory is held open, and the name in it is no link that was followed. Null: the
 * source is that directory.
 */
export type Source = { readonly directory: Directory; readonly name: EntryName | null }

/**
 * Finds what an absolute path names, by a TrustedWalk. The last component is not followed, unless a slash
 * comes after it. Returns null for what is not there. Throws PERMISSION naming the link that is not followed.
 * The caller closes the directory.
 */
export function findSource(path: string): Source | null {
  const walk = new TrustedWalk(path)
  try {
    // As everywhere, a slash after a link means what it leads to.
    const name = walk.to(/\/\.?$/.test(path) ? 'enter' : 'keep')
    const { place } = walk
    return { directory: Directory.taken(walk.take(), place), name }
  } catch (error) {
    const errno = errnoOf(error)
    if (!(error instanceof HoldfastError) && (errno === 'ENOENT' || errno === 'ENOTDIR')) return null
    throw error
  } finally {
    walk.end()
  }
}

/**
 * A directory of the caller's by such a walk to its end; null: there is none. On Windows by its path: there a
 * task is no other user, and /proc no way to anchor anything.
 */
export async function findDirectory(path: string): Promise<Directory | null> {
  if (process.platform !== 'win32') return findSource(`${path}/`)?.directory ?? null
  return isDirectory(path) ? Directory.open(await realpath(path)) : null
}
