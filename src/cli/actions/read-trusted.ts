import { closeSync, constants } from 'node:fs'
import { openTrusted } from '../../index.ts'
import { UsageError } from '../usage-error.ts'

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
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'PERMISSION') throw error
    throw unreadable(flag, path, message, code)
  }
}

export function unreadable(flag: string, path: string, reason: string, errno?: string): UsageError {
  return new UsageError(`${flag}: ${JSON.stringify(path)} cannot be read: ${reason}`, { path, errno })
}
