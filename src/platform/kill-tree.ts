import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import { killProcess } from '../spawn/kill-process.ts'
import {
  currentBootId,
  descendantsIn,
  hidesProcesses,
  isAlive,
  isZombie,
  pidTaken,
  type ProcessEntry,
  processTable,
} from '../spawn/process-table.ts'
import type { KillOptions } from './port.ts'

const pauseMs = 5

/**
 * SIGKILL for the task, its process group, its session and all their descendants, looked up anew until nobody
 * is left or the time is up. Resolves to the survivors. Where there is no /proc, or it hides processes
 * (hidepid), identities cannot be checked: nothing is killed and the task counts as a survivor while its pid
 * is taken.
 */
export async function killProcessTree(
  start: StartRecord,
  { limitMs, spareShim = false }: KillOptions & { readonly limitMs: number },
  hides = hidesProcesses,
): Promise<readonly number[]> {
  if (start.bootId !== '' && start.bootId !== currentBootId()) return []
  if (processTable().length === 0) return pidTaken(start.task.pid) ? [start.task.pid] : []
  const deadline = performance.now() + limitMs
  // Hidden from its own shim (hidepid): its number may be another's by now.
  if (start.task.startTime === 0 && hides()) {
    while (isTaken(start.task.pid) && performance.now() < deadline) await sleep(pauseMs)
    return isTaken(start.task.pid) ? [start.task.pid] : []
  }
  for (;;) {
    const members = treeOf(start, processTable()).filter(({ pid }) => !spareShim || pid !== start.shim.pid)
    if (members.length === 0) return []
    for (const member of members) if (isAlive(member)) killProcess(member.pid)
    if (performance.now() > deadline) return members.filter(member => isAlive(member)).map(({ pid }) => pid)
    await sleep(pauseMs)
  }
}

/** By a process, a group or a session. */
const isTaken = (pid: number): boolean => pidTaken(pid) || pidTaken(-pid)

/** What still belongs to the task, zombies left out. */
export function treeOf(
  start: Pick<StartRecord, 'task' | 'shim'>,
  table: readonly ProcessEntry[],
): ProcessEntry[] {
  const leaders = [start.task, start.shim].filter(({ pid, startTime }) =>
    // The kernel does not give a pid away while a group or session still bears it. Another process under it
    // therefore means that ours is long gone, and that group and session are another's.
    table.every(entry => entry.pid !== pid || entry.startTime === startTime),
  )
  const numbers = new Set(leaders.map(({ pid }) => pid))
  const roots = table.filter(
    ({ pid, group, session, startTime }) =>
      (numbers.has(pid) || numbers.has(group) || numbers.has(session)) && startTime >= start.shim.startTime,
  )
  const all = [
    ...roots,
    ...descendantsIn(
      table,
      roots.map(({ pid }) => pid),
    ),
  ]
  return all.filter(entry => !isZombie(entry) && entry.pid !== process.pid)
}
