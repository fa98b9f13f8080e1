import { onlyWatches, type StoredSnapshot } from '../../machines/index.ts'
import type { TaskActor } from './task-actor.ts'
import type { TaskProcess } from './task-process.ts'

/**
 * Lets a stored task rest of which nobody has asked anything and whose machine would do no more than wait for
 * the end. False: it has to live.
 */
export function rest(actor: TaskActor, process: TaskProcess, snapshot: StoredSnapshot): boolean {
  if (!onlyWatches(snapshot) || !process.mayRest()) return false
  try {
    actor.rest(onEnd => process.untilEnd(onEnd))
    return true
  } catch {
    // It cannot be watched: the machine says so, or tries again.
    return false
  }
}
