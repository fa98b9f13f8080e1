import { readdirSync } from 'node:fs'
import type { Observation } from '../../machines/index.ts'
import { currentBootId } from '../spawn/process-table.ts'
import { readExit, readStart } from '../spawn/records.ts'
import { diskImageName, projectName } from './disk/place.ts'
import { journalName } from './journal.ts'
import { aliveIsHeld, shimLives } from './shim-life.ts'

/** What lies in a task's directory and in the process table, for reconcile(). */
export function observe(dir: string): Observation {
  // Whoever lives is a trace: its directory need not be read, of thousands that run.
  const heldAtOnce = aliveIsHeld(dir)
  // `alive` is the first thing a shim makes, already held (docs/native-protocol.md): seen without a holder
  // after a trace, it has been and gone.
  const traced = heldAtOnce || hasTraces(dir)
  // Before the records: the shim writes them before it goes, so that whoever sees it gone sees them.
  const held = heldAtOnce || aliveIsHeld(dir)
  const exit = readExit(dir)
  const start = readStart(dir)
  const recorded = start === null || 'corrupt' in start ? null : start
  // Where nothing else is known of it, a FIFO that cannot be one is told.
  const alive = held || shimLives(dir, recorded)
  const sameBoot = start === null || 'corrupt' in start || start.bootId === currentBootId()
  // It came between the looks.
  if (!traced && !alive && hasTraces(dir)) return observe(dir)
  return {
    exit: exit !== null && 'corrupt' in exit ? 'corrupt' : exit,
    start: start !== null && 'corrupt' in start ? 'corrupt' : start,
    sameBoot,
    shimAlive: alive,
    // Without a word of its end there may be something left of it, even when its leader is gone: that one
    // dies with the shim.
    treeAlive: !alive && exit === null && sameBoot && start !== null && !('corrupt' in start),
    traces: traced || alive,
  }
}

/** Whether a shim has ever been at work in the directory. */
export function hasTraces(dir: string): boolean {
  try {
    return readdirSync(dir).some(name => !name.startsWith('task.json') && !ours.has(name))
  } catch (error) {
    // Another process is removing the task: task.json, which goes last, says so.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * The supervisor's own, its end of the standard input among them, and FIFOs that a shim is about to put in
 * their place.
 */
const ours = new Set([journalName, diskImageName, projectName, 'stdin', 'alive.tmp', 'control.tmp'])
