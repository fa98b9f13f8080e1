import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const pattern = /\nholdfast-native of ([0-9a-f]{32})\n$/
const length = '\nholdfast-native of \n'.length + 32

/**
 * The digest of the sources that a native program was built from: its last bytes
 * (scripts/native-sources.mjs), read without running it. Null for a file that is none, or cannot be read.
 */
export function nativeMark(path: string): string | null {
  let fd: number | null = null
  try {
    fd = openSync(path, 'r')
    const bytes = Buffer.alloc(length)
    const read = readSync(fd, bytes, 0, length, Math.max(0, fstatSync(fd).size - length))
    return pattern.exec(bytes.toString('latin1', 0, read))?.[1] ?? null
  } catch {
    return null
  } finally {
    if (fd !== null) closeSync(fd)
  }
}
