import { isAbsolute, resolve } from 'node:path'
import { lookPath } from '../../command/lookup.ts'

/**
 * Node's own program. Where there is no /proc, Node on Linux knows itself by no more than the name that it
 * was called by. Throws START_FAILED when that is not to be found.
 */
export function nodePath(called = process.execPath, path = process.env.PATH): string {
  if (isAbsolute(called)) return called
  return resolve(lookPath(called, path))
}
