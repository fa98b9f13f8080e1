import type { StartRecord } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { shimAlive } from '../spawn/alive.ts'
import { currentBootId, isAlive } from '../spawn/process-table.ts'
import { readStart } from '../spawn/records.ts'

type Recorded = Pick<StartRecord, 'shim' | 'bootId'> | null

/**
 * Whether the shim of a task lives: by the FIFO `alive`, which it holds, and where that is gone or another,
 * by the process that was recorded. Throws INVALID_STATE when that cannot be found out now, STATE_CORRUPT
 * where neither says anything.
 */
export function shimLives(dir: string, recorded: Recorded): boolean {
  try {
    return shimAlive(dir) || isRunning(recorded)
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'STATE_CORRUPT' || recorded === null) throw error
    return isRunning(recorded)
  }
}

/** The same by the directory alone. What nobody can tell may live. */
export function shimMayLive(dir: string): boolean {
  try {
    const start = readStart(dir)
    return shimLives(dir, start === null || 'corrupt' in start ? null : start)
  } catch {
    return true
  }
}

/** Whether the FIFO `alive` is held, and so can be watched. Throws INVALID_STATE. */
export function aliveIsHeld(dir: string): boolean {
  try {
    return shimAlive(dir)
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'STATE_CORRUPT') return false
    throw error
  }
}

export function isRunning(recorded: Recorded): boolean {
  return recorded !== null && recorded.bootId === currentBootId() && isAlive(recorded.shim)
}
