import { readdirSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs'

type Encoding = 'utf8' | 'latin1'

/** What a file says; null where it cannot be read: it is gone, or another user's. */
export function textIfReadable(path: string, encoding: Encoding = 'utf8'): string | null {
  try {
    return readFileSync(path, encoding)
  } catch {
    return null
  }
}

/** What a file says, and nothing where it cannot be read. */
export function readText(path: string, encoding: Encoding = 'utf8'): string {
  return textIfReadable(path, encoding) ?? ''
}

/** Where a link points; empty where it cannot be read. */
export function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** The names in a directory; none where it cannot be read. */
export function readNames(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Throws what the file system says, unless the name is gone already. */
export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
