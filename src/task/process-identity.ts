import { readFileSync } from 'node:fs'
import type { ProcessIdentity } from '../../machines/index.ts'

/**
 * The identity of a living process, or null. Start time: field 22 of /proc/PID/stat, counted after the last `)`, for the name before it
 * may hold anything; a zombie (state Z) or dead one (X) is not alive.
 */
export function identify(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return null
    return { pid, startTime: Number(fields[19]) }
  } catch {
    return null
  }
}

/** Whether this very process lives, and not another that was given its pid. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime
}

let bootId: string | undefined

/** Of the running system; empty where it has none. */
export function currentBootId(): string {
  if (bootId === undefined) {
    try {
      bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    } catch {
      bootId = ''
    }
  }
  return bootId
}
