import { firstValueFrom } from 'rxjs'
import type { Supervisor, TasksUsage } from '../index.ts'
import type { CpuAccount } from './cpu-account.ts'

export type Sample = { readonly memoryBytes: number | null; readonly pids: number | null }

/**
 * Any: of each subscription only the first sample is taken. The metrics of one scrape are collected side by
 * side, and share it.
 */
const paceMs = 60_000

/** A look at all running tasks. */
export async function sampleOf(supervisor: Supervisor, cpu: CpuAccount): Promise<Sample> {
  const none: TasksUsage = new Map()
  const usages = await firstValueFrom(supervisor.usage$(paceMs), { defaultValue: none })
  for (const [key, { cpuMs }] of usages) cpu.sampled(key, cpuMs)
  cpu.keepOnly(supervisor.tasks)
  const known = [...usages.values()]
  const isUp = [...supervisor.tasks.values()].some(({ state }) => state === 'running' || state === 'stopping')
  return {
    memoryBytes: sum(
      known.map(({ memoryBytes }) => memoryBytes),
      isUp,
    ),
    pids: sum(
      known.map(({ pids }) => pids),
      isUp,
    ),
  }
}

/** Of what is known. Null where something runs and nothing is known. */
function sum(values: readonly (number | null)[], isUp: boolean): number | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 && isUp ? null : known.reduce((total, value) => total + value, 0)
}
