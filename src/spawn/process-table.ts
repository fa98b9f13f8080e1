import { readdirSync, readFileSync } from 'node:fs'
import type { ProcessIdentity } from '../../machines/index.ts'

/** Windows has none: what lies there by that name is anybody's (under Wine: the host's). */
const ownProc = process.platform === 'win32' ? null : '/proc'

/** What the kernel says of a process, from /proc/PID/stat (proc_pid_stat(5)). */
export type ProcessEntry = {
  readonly pid: number
  /**
   * The thread that state and flags are of: the first, with the number of the process, and where that has
   * ended (pthread_exit(3) in main) one that goes on, if any does. What a thread that has ended had is gone
   * from /proc/PID; it is in /proc/PID/task/THREAD of another.
   */
  readonly thread: number
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly startTime: number
  /** PF_... of the kernel. */
  readonly flags: number
}

/** Null when there is no such process, or no /proc. */
export function readProcess(pid: number, proc = ownProc): ProcessEntry | null {
  const first = readThread(proc, pid, pid, `${pid}/stat`)
  if (first === null || !isOver(first)) return first
  let best = first
  for (const thread of threadsOf(pid, proc)) {
    const other = readThread(proc, pid, thread)
    if (other !== null && !isZombie(other) && (isZombie(best) || !isOver(other))) best = other
    if (!isOver(best)) break
  }
  // Threads have start times of their own.
  return { ...first, thread: best.thread, state: best.state, flags: best.flags }
}

function threadsOf(pid: number, proc: string | null): number[] {
  if (proc === null) return []
  try {
    return readdirSync(`${proc}/${pid}/task`).map(Number)
  } catch {
    return []
  }
}

function readThread(
  proc: string | null,
  pid: number,
  thread: number,
  path = `${pid}/task/${thread}/stat`,
): ProcessEntry | null {
  const text = readOrNull(proc, path)
  if (text === null) return null
  // The name in parentheses may hold spaces and parentheses: the fields go on after the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = '', parent, group, session] = fields
  return {
    pid,
    thread,
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTime: Number(fields[19]),
    flags: Number(fields[6]),
  }
}

/** Every process there is; empty without /proc. */
export function processTable(proc = ownProc): ProcessEntry[] {
  if (proc === null) return []
  let names: string[]
  try {
    names = readdirSync(proc)
  } catch {
    return []
  }
  return names.flatMap(name => (/^\d+$/.test(name) ? (readProcess(Number(name), proc) ?? []) : []))
}

/** The pids below these, without them. */
export function descendants(roots: readonly number[], proc = ownProc): number[] {
  return descendantsIn(processTable(proc), roots).map(({ pid }) => pid)
}

export function descendantsIn(table: readonly ProcessEntry[], roots: readonly number[]): ProcessEntry[] {
  const children = groupByParent(table)
  const seen = new Set(roots)
  const found: ProcessEntry[] = []
  const queue = [...roots]
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    for (const child of children.get(pid) ?? []) {
      if (seen.has(child.pid)) continue
      seen.add(child.pid)
      found.push(child)
      queue.push(child.pid)
    }
  }
  return found
}

/** What to remember a living process by; null when there is none. */
export function identify(pid: number): ProcessIdentity | null {
  const entry = readProcess(pid)
  return entry === null || isZombie(entry) ? null : { pid, startTime: entry.startTime }
}

/**
 * Alive and the very one that was recorded. A zombie is dead: it holds nothing and cannot be killed again.
 */
export function isAlive({ pid, startTime }: ProcessIdentity, proc = ownProc): boolean {
  const entry = readProcess(pid, proc)
  return entry !== null && entry.startTime === startTime && !isZombie(entry)
}

/** It has begun to exit: from then on it lets go of what it has, its namespaces before it is a zombie. */
export function isEnding({ pid }: ProcessIdentity, proc = ownProc): boolean {
  const entry = readProcess(pid, proc)
  return entry !== null && isOver(entry)
}

/**
 * The thread whose part of /proc says what a process has; null: there is none that goes on, or it is another
 * process.
 */
export function threadThatGoesOn({ pid, startTime }: ProcessIdentity, proc = ownProc): number | null {
  const entry = readProcess(pid, proc)
  return entry === null || entry.startTime !== startTime || isOver(entry) ? null : entry.thread
}

/** Of the thread that the entry is of. */
function isOver(entry: ProcessEntry): boolean {
  return (entry.flags & exiting) !== 0 || isZombie(entry)
}

/** PF_EXITING of linux/sched.h. */
const exiting = 0x4

export function isZombie({ state }: ProcessEntry): boolean {
  return state === 'Z' || state === 'X'
}

export function processExists(pid: number, proc = ownProc): boolean {
  return readProcess(pid, proc) !== null
}

/**
 * Whether the number is somebody's whom /proc does not show to us (mounted with hidepid, proc(5)): it may be
 * the very process, and nobody can tell.
 */
export function isHidden(pid: number, proc = ownProc): boolean {
  if (pid <= 0 || !processExists(process.pid, proc) || processExists(pid, proc)) return false
  return pidTaken(pid)
}

/** Whether /proc is mounted so that it shows us not even the first process (hidepid). */
export function hidesProcesses(proc = ownProc): boolean {
  return isHidden(1, proc)
}

/** Whether a process has this number, by a signal that is none: also where there is no /proc. */
export function pidTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Empty where the system has none. It does not change while we live. */
export function currentBootId(): string {
  bootId ??= readOrNull(ownProc, 'sys/kernel/random/boot_id')?.trim() ?? ''
  return bootId
}

let bootId: string | undefined

function groupByParent(table: readonly ProcessEntry[]): Map<number, ProcessEntry[]> {
  const groups = new Map<number, ProcessEntry[]>()
  for (const entry of table) {
    const siblings = groups.get(entry.parent)
    if (siblings) siblings.push(entry)
    else groups.set(entry.parent, [entry])
  }
  return groups
}

function readOrNull(proc: string | null, name: string): string | null {
  if (proc === null) return null
  try {
    return readFileSync(`${proc}/${name}`, 'utf8')
  } catch {
    return null
  }
}
