import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A new FIFO for our own user alone, out of reach of every task. Rejects with what the file system says. */
export async function makeFifo(stateDir: string): Promise<string> {
  const directory = join(stateDir, 'nomad-exec')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, randomBytes(8).toString('hex'))
  // Node has no mkfifo(3); POSIX has mkfifo(1).
  await run('mkfifo', ['-m', '600', path])
  return path
}

/** Idempotent. */
export function removeFifo(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Removed before.
  }
}
