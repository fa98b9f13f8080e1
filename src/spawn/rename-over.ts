import { renameSync } from 'node:fs'

/**
 * Puts a file in the place of another, which others may have open. POSIX knows no difficulty there; Windows
 * refuses for as long as somebody (a virus scanner, an indexer, who opened it without FILE_SHARE_DELETE)
 * holds the old one: so it is tried again, for a second.
 */
export function renameOver(from: string, to: string): void {
  for (let tries = 1; ; tries++) {
    try {
      renameSync(from, to)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const held = code === 'EPERM' || code === 'EACCES' || code === 'EBUSY'
      if (process.platform !== 'win32' || !held || tries === 100) throw error
      Atomics.wait(pause, 0, 0, 10)
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))
