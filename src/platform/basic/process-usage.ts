import { readFileSync } from 'node:fs'
import type { ProcessEntry } from '../../spawn/process-table.ts'

export type ProcessUsage = { readonly cpuMs: number; readonly memoryBytes: number }

/**
 * Of one living process, from /proc; null when it is gone. Its memory is that of any thread that goes on,
 * which the first need not do. Not by pidusage, which keeps a descriptor of each
 * process it was ever asked for open for a minute: a supervisor of short tasks would run out of them.
 */
export function processUsage({ pid, thread }: Pick<ProcessEntry, 'pid' | 'thread'>): ProcessUsage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before the last `)` may hold anything. Fields 14 and 15 (proc_pid_stat(5)) are user and system
    // time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
    // A kernel thread and a zombie have no VmRSS.
    const residentKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs, memoryBytes: residentKib * 1024 }
  } catch {
    return null
  }
}

/**
 * USER_HZ, the unit in which Linux tells times to programs, is 100 on every architecture that Node runs on.
 */
const tickMs = 10
