import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { HoldfastError } from '../errors.ts'

/** As much as a request may have (64 MiB), each of its bytes escaped. */
const maxBytes = 128 * 1024 * 1024

/**
 * The text of a file of the state tree, which is input: no link, FIFO, device or directory, and none that is
 * larger than any of ours. Throws STATE_CORRUPT, naming it, or what the file system says.
 */
export function readBounded(path: string, max = maxBytes): string {
  const fd = opened(path)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw corrupt(path, 'it is no plain file')
    if (stats.size > max) throw corrupt(path, `it has ${stats.size} bytes, of at most ${max}`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function opened(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    // A link, a socket.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP' || code === 'ENXIO') throw corrupt(path, 'it is no plain file')
    throw error
  }
}

function corrupt(path: string, why: string): HoldfastError {
  return new HoldfastError('STATE_CORRUPT', `${path} cannot be used: ${why}`, {
    path,
    hint: 'Nothing was changed; `holdfast rm --force` (supervisor.discard) kills and removes the task.',
  })
}
