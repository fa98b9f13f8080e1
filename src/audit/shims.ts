import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import { controlIsRead } from '../spawn/control.ts'
import { currentBootId, isAlive } from '../spawn/process-table.ts'
import { readStart } from '../spawn/records.ts'
import { isStopped } from '../spawn/send-signal.ts'
import { workingShims } from '../spawn/shims.ts'
import { startOf } from '../task/discard.ts'
import { endTask } from '../task/end-task.ts'
import { aliveIsHeld } from '../task/shim-life.ts'
import { cgroupsOf } from './cgroups.ts'
import type { Found, AuditContext } from './found.ts'

/** A shim that is just ending looks like one of these for an instant. */
const againMs = 500

/**
 * Tasks that nobody can reach by their directory any more: the shim has been stopped, its FIFOs are gone or
 * others, or the directory itself is gone while the task runs on. Only what is so twice is told.
 */
export async function unreachableTasks(context: AuditContext): Promise<Found[]> {
  const first = lookFor(context)
  if (first.length === 0) return []
  await sleep(againMs)
  const again = new Map(lookFor(context).map(found => [found.path, found]))
  return first.flatMap(({ path }) => again.get(path) ?? [])
}

function lookFor(context: AuditContext): Found[] {
  const tasks = context.state.list().flatMap(key => ofTask(context.state.taskDirectory(key)))
  return [...tasks, ...ofDeleted(context)]
}

function ofTask(dir: string): Found[] {
  const start = startIn(dir)
  if (start === null || !isAlive(start.shim)) return []
  const fault = faultOf(dir, start)
  return fault === null ? [] : [found(dir, `its shim (pid ${start.shim.pid}) ${fault}`, start)]
}

function faultOf(dir: string, { shim }: StartRecord): string | null {
  if (isStopped(shim)) return `has been stopped by a signal: kill -CONT ${shim.pid}`
  if (!aliveIsHeld(dir)) return 'lives, and its FIFO `alive` is gone or another'
  return controlIsRead(dir) ? null : 'lives, and its FIFO `control` is gone or another'
}

function ofDeleted(context: AuditContext): Found[] {
  const tasks = join(context.state.path, 'tasks')
  return workingShims()
    .filter(({ dir, deleted }) => deleted && dir.startsWith(`${tasks}/`) && !existsSync(dir))
    .map(({ dir, key, shim }) =>
      found(
        dir,
        `its directory is gone, and its shim (pid ${shim.pid}) lives`,
        startOf(shim, cgroupsOf(key)),
      ),
    )
}

function found(path: string, why: string, start: StartRecord): Found {
  const remove = async (): Promise<void> => {
    const survivors = await endTask(path, start)
    if (survivors.length > 0) throw new Error(`still alive: ${survivors.join(', ')}`)
  }
  return { kind: 'task', path, why, remove }
}

/**
 * Of this boot; null for what cannot be read, which is the business of others. An exit record says nothing of
 * a shim that lives on.
 */
function startIn(dir: string): StartRecord | null {
  try {
    const start = readStart(dir)
    return start === null || 'corrupt' in start || start.bootId !== currentBootId() ? null : start
  } catch {
    return null
  }
}
