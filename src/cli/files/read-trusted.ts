import { closeSync, constants } from 'node:fs'
import { openTrusted } from '../../index.ts'
import { fileRefused } from '../file-refused.ts'

/**
 * What `read` makes of a file that a flag names. Throws INVALID_ARGUMENT naming flag and file, PERMISSION
 * where a task could have put a link on the way to it.
 */
export function readTrusted<Read>(flag: string, path: string, read: (fd: number) => Read): Read {
  try {
    const fd = openTrusted(path, constants.O_RDONLY)
    try {
      return read(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'PERMISSION') throw error
    throw fileRefused(flag, path, 'read', error)
  }
}
