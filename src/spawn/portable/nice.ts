import { getPriority, setPriority } from 'node:os'
import type { ChildProcess } from 'node:child_process'

/**
 * Spawns with another nice value: on POSIX that of the parent, which is ours for so long, so that no
 * instruction of the child runs before it has it.
 */
export function withNice(nice: number | null, work: () => ChildProcess): ChildProcess {
  if (nice === null) return work()
  if (process.platform === 'win32') return afterwards(nice, work())
  const own = getPriority()
  try {
    setPriority(nice)
  } catch (error) {
    throw Object.assign(error as Error, { stage: 'limit' })
  }
  try {
    return work()
  } finally {
    restore(own)
  }
}

/** Only root may go back. Then we stay as nice as the task is. */
function restore(own: number): void {
  try {
    setPriority(own)
  } catch {
    // EACCES.
  }
}

/** One of the six priority classes of Windows. A row says that it is no more than that. */
function afterwards(nice: number, child: ChildProcess): ChildProcess {
  return child.once('spawn', () => {
    try {
      setPriority(child.pid as number, nice)
    } catch {
      // The class is refused (high ones are to who lacks the right), or the child has ended.
    }
  })
}
