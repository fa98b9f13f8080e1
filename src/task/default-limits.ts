import type { Resources } from '../api.ts'
import { memoryLimit } from '../command/memory-limit.ts'
import { mergeResources } from './merge-limits.ts'

export type DefaultLimits = {
  readonly resources: Resources | null
  /** The fields that came from `preferred`. */
  readonly preferred: readonly string[]
}

/**
 * What a task is limited to: what it names, then the supervisor's defaults, then what is preferred where the
 * host has it. A default for protected memory gives way to a smaller memory limit that the task names.
 */
export function withDefaults(
  own: Resources | null,
  defaults: Resources | null,
  preferred: Resources | null,
): DefaultLimits {
  if (defaults === null && preferred === null) return { resources: own, preferred: [] }
  const asked = defaults === null ? own : fitting(over(defaults, own))
  const resources = preferred === null ? asked : over(preferred, asked)
  const added = Object.keys(resources ?? {}).filter(field => asked === null || !(field in asked))
  return { resources, preferred: added }
}

/** In the order in which it was asked for: rows come in that order. */
function over(defaults: Resources, own: Resources | null): Resources {
  return { ...own, ...mergeResources(defaults, own ?? {}) }
}

function fitting(resources: Resources): Resources {
  const { memoryReserveBytes, ...rest } = resources
  const memory = memoryLimit(resources)
  return memoryReserveBytes !== undefined && memory !== null && memoryReserveBytes > memory ? rest : resources
}
