import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const maxBytes = 256 * 1024

/**
 * A token, or certificates. A FIFO or a device in the place of one must not hold us up, nor fill the memory.
 * Throws what the file system does, or an error with the code EFBIG or EINVAL.
 */
export function readSmallFile(path: string): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) throw Object.assign(new Error('no plain file'), { code: 'EINVAL' })
    const bytes = Buffer.alloc(maxBytes + 1)
    let length = 0
    for (let count = 1; count > 0 && length < bytes.length; length += count)
      count = readSync(fd, bytes, length, bytes.length - length, null)
    if (length > maxBytes) throw Object.assign(new Error('a larger file'), { code: 'EFBIG' })
    return bytes.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}
