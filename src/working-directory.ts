import { resolve } from 'node:path'
import { HoldfastError } from './errors.ts'
import { systemError } from './system-error.ts'

/** Null: it has been deleted, or may not be known. Most of what we do needs none. */
export function workingDirectory(): string | null {
  try {
    return process.cwd()
  } catch {
    return null
  }
}

/**
 * The absolute form of a path. Throws INVALID_STATE for a relative one where the working directory has been
 * deleted.
 */
export function absolute(path: string, what: string): string {
  try {
    return resolve(path)
  } catch (cause) {
    const message = `${what} ${path} is relative, and the working directory has been deleted`
    const hint = 'Change to a directory that is there, or give an absolute path.'
    throw new HoldfastError('INVALID_STATE', message, { errno: systemError(cause).errno, path, cause, hint })
  }
}
