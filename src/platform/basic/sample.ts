import type pidusage from 'pidusage'
import type { StartRecord } from '../../../machines/index.ts'
import type { Usage, UsageDetail } from '../../api.ts'
import { treeOf } from '../kill-tree.ts'
import type { UsageProbe } from '../port.ts'
import { isAlive, type ProcessEntry, processTable } from '../../spawn/process-table.ts'
import { type ProcessUsage, processUsage } from './process-usage.ts'

/** Nothing is kept from one sample to the next: the processes are others each time. */
export function probeTree(start: StartRecord): UsageProbe {
  return { sample: () => sampleTree(start), detail: nothingKnown, close: () => {} }
}

function nothingKnown(): UsageDetail {
  return {
    at: new Date(),
    cpuUserMs: null,
    cpuSystemMs: null,
    throttledPeriods: null,
    anonBytes: null,
    fileBytes: null,
    kernelBytes: null,
    swapBytes: null,
  }
}

/**
 * Sums over the processes that live now: what those that ended have used is not in it, and peaks, limits and
 * I/O are not known.
 */
export async function sampleTree(start: StartRecord): Promise<Usage> {
  const living = livingProcesses(start)
  const stats = living.length === 0 ? [] : await usageOf(living)
  const nothing = {
    cpuPercent: null,
    memoryPeakBytes: null,
    memoryLimitBytes: null,
    ioReadBytes: null,
    ioWriteBytes: null,
    throttledMs: null,
    pressure: null,
  }
  const known = stats.length > 0
  return {
    at: new Date(),
    cpuMs: known ? stats.reduce((total, { cpuMs }) => total + cpuMs, 0) : null,
    memoryBytes: known ? stats.reduce((total, { memoryBytes }) => total + memoryBytes, 0) : null,
    pids: known ? stats.length : null,
    ...nothing,
  }
}

let table_: ProcessEntry[] | null = null

/**
 * One look for all who ask in the same turn: it costs more than all the rest, and a sweep asks for many
 * tasks.
 */
function sharedTable(): ProcessEntry[] {
  if (table_ === null) {
    table_ = processTable()
    queueMicrotask(() => {
      table_ = null
    })
  }
  return table_
}

/** The shim is holdfast's own and does not count. */
function livingProcesses(start: StartRecord): Living[] {
  const table = sharedTable()
  if (table.length === 0) return [{ pid: start.task.pid, thread: start.task.pid }]
  const tree = treeOf(start, table).filter(({ pid }) => pid !== start.shim.pid && pid !== start.init?.pid)
  return tree.filter(entry => isAlive(entry))
}

type Living = Pick<ProcessEntry, 'pid' | 'thread'>

async function usageOf(living: readonly Living[]): Promise<ProcessUsage[]> {
  if (process.platform === 'linux') return living.flatMap(each => processUsage(each) ?? [])
  // Read where it is needed alone, on other systems than Linux.
  const { default: usage } = await import('pidusage')
  try {
    const found: Record<string, pidusage.Status | null> = await usage(living.map(({ pid }) => pid))
    return Object.values(found).flatMap(one =>
      one === null ? [] : [{ cpuMs: one.ctime, memoryBytes: one.memory }],
    )
  } catch {
    // All of them ended between the look and the call.
    return []
  }
}
