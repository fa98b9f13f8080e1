import { availableParallelism } from 'node:os'
import type { Resources } from '../../index.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

const mebibyte = 1024 * 1024

/**
 * cgroups' own range of shares, in which Nomad's megahertz are taken as they are, like its other drivers do.
 */
const minShares = 2
const maxShares = 262_144

export type HostShares = {
  /** Processors of the node, of which `PercentTicks` is a part. */
  readonly cores: number
}

export const hostShares: HostShares = { cores: availableParallelism() }

/**
 * Nomad's resources of a task as limits. `pids`: what the agent's configuration says for tasks that say
 * nothing.
 */
export function taskLimits(
  task: TaskConfig,
  { limits, cpu_hard_limit }: TaskOptions,
  { pids, cores }: HostShares & { readonly pids: number | null },
): Resources {
  const linux = task.resources?.linux_resources ?? null
  const shares = linux?.cpu_shares ?? 0
  const max = limits.pids ?? pids
  return {
    ...(shares > 0 && { cpu: Math.min(Math.max(shares, minShares), maxShares) }),
    ...(cpu_hard_limit && linux !== null && hardLimit(linux.PercentTicks * cores)),
    ...(linux?.cpuset_cpus && { cpuset: linux.cpuset_cpus }),
    ...memory(task.resources?.allocated_resources?.memory ?? null),
    ...(limits.swap_mb !== null && { swapBytes: limits.swap_mb * mebibyte }),
    ...(max !== null && { pids: max }),
    ...(limits.nofile !== null && { rlimits: { nofile: limits.nofile } }),
  }
}

/** The kernel's smallest quota is a hundredth of a core. */
function hardLimit(cores: number): Resources {
  return cores > 0 ? { cpuLimit: Math.max(0.01, Math.round(cores * 1000) / 1000) } : {}
}

/** With memory_max the task may go beyond what it has reserved: 0 is none, -1 as far as the node goes. */
function memory(asked: { memory_mb: number; memory_max_mb: number } | null): Resources {
  if (asked === null || asked.memory_mb <= 0) return {}
  const { memory_mb: reserved, memory_max_mb: max } = asked
  if (max === 0) return { memoryMB: reserved }
  const reserve = { memoryReserveBytes: reserved * mebibyte }
  return max < 0 ? reserve : { ...reserve, memoryMB: Math.max(reserved, max) }
}
