import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../../machines/index.ts'
import { textIfReadable } from '../../if-there.ts'
import { killProcessTree } from '../kill-tree.ts'
import { currentBootId, isZombie, readProcess } from '../../spawn/process-table.ts'
import { killProcess } from '../../spawn/kill-process.ts'
import { signalProcess } from '../../spawn/send-signal.ts'
import type { KillOptions } from '../port.ts'
import { processesIn } from './cgroup-members.ts'
import { isOwnCgroup } from './own-cgroup.ts'

const maxKillMs = 10_000
const pauseMs = 5

/**
 * For a task whose shim is gone. PID 1 of its pid namespace, where it still lives, takes everything in it
 * along; then the cgroups are emptied; then, for tasks that have neither, the process tree. Resolves to the
 * pids that survived.
 */
export async function killLinuxTree(
  start: StartRecord,
  { spareShim = false, limitMs = maxKillMs }: KillOptions = {},
): Promise<readonly number[]> {
  if (start.bootId !== '' && start.bootId !== currentBootId()) return []
  if (start.init) signalProcess(start.init, 'SIGKILL')
  const began = performance.now()
  const remaining = (): number => Math.max(0, began + limitMs - performance.now())
  const left = new Set<number>()
  for (const dir of start.cgroups.filter(isOwnCgroup))
    for (const pid of await emptyCgroup(dir, remaining())) left.add(pid)
  // Also where cgroups were emptied: a start that broke off may have a process that had not joined yet.
  for (const pid of await killProcessTree(start, { limitMs: remaining(), spareShim })) left.add(pid)
  return [...left]
}

/** Kills the members of one cgroup until it has none, or the time is up. Resolves to those that are left. */
export async function emptyCgroup(dir: string, limitMs: number): Promise<number[]> {
  const deadline = performance.now() + limitMs
  // Frozen processes cannot fork, so the list cannot be outrun; they die when thawed
  // (cgroup-v1/freezer-subsystem.rst).
  const freezable = textIfReadable(join(dir, 'freezer.state')) !== null
  for (;;) {
    const members = membersOf(dir)
    if (members.length === 0) return []
    if (performance.now() > deadline) return members
    if (!write(join(dir, 'cgroup.kill'), '1')) {
      if (freezable) write(join(dir, 'freezer.state'), 'FROZEN')
      // 0 stands for a member that this pid namespace cannot see; kill(0) would hit our own group.
      for (const pid of membersOf(dir)) if (pid > 0) killProcess(pid)
      if (freezable) write(join(dir, 'freezer.state'), 'THAWED')
    }
    await sleep(pauseMs)
  }
}

function membersOf(dir: string): number[] {
  const populated = /^populated (\d)/m.exec(textIfReadable(join(dir, 'cgroup.events')) ?? '')?.[1]
  if (populated === '0') return []
  return processesIn(dir).filter(pid => {
    const entry = readProcess(pid)
    return entry !== null && !isZombie(entry)
  })
}

function write(path: string, value: string): boolean {
  try {
    writeFileSync(path, value, { flag: 'r+' })
    return true
  } catch {
    return false
  }
}
