import type { Executor, Supervisor, Usage } from '../index.ts'
import type { CpuAccount } from './cpu-account.ts'

export type Sample = { readonly memoryBytes: number | null; readonly pids: number | null }

/** A look at all running tasks. The metrics of one scrape are collected side by side: they share one. */
export function sampleOf(supervisor: Supervisor, cpu: CpuAccount): () => Promise<Sample> {
  let underWay: Promise<Sample> | null = null
  return () => {
    underWay ??= take(supervisor, cpu).finally(() => {
      underWay = null
    })
    return underWay
  }
}

async function take({ tasks }: Supervisor, cpu: CpuAccount): Promise<Sample> {
  const running = [...tasks].filter(([, { state }]) => state === 'running' || state === 'stopping')
  const usages = await Promise.all(
    running.map(async ([key, task]) => {
      const usage = await usageOf(task)
      cpu.sampled(key, usage?.cpuMs ?? null)
      return usage
    }),
  )
  cpu.keepOnly(tasks)
  return {
    memoryBytes: sum(usages.map(usage => usage?.memoryBytes ?? null)),
    pids: sum(usages.map(usage => usage?.pids ?? null)),
  }
}

/** Null for one that has ended meanwhile, or that cannot be looked at: the others count all the same. */
async function usageOf(task: Executor): Promise<Usage | null> {
  return task.usage().catch(() => null)
}

/** Of what is known. Null where something runs and nothing is known. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter(value => value !== null)
  return known.length === 0 && values.length > 0 ? null : known.reduce((total, value) => total + value, 0)
}
