import { randomBytes } from 'node:crypto'
import { mkdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { makeFifos } from '../../index.ts'

/** A new FIFO for our own user alone, out of reach of every task. Throws what the file system says. */
export function makeFifo(stateDir: string): string {
  const directory = join(stateDir, 'nomad-exec')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, randomBytes(8).toString('hex'))
  makeFifos(path)
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
