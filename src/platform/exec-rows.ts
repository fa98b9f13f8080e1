import type { Enforcement, Resources } from '../api.ts'
import { requestedLimits } from './limits.ts'
import type { TargetTask } from './port.ts'
import { enforced, type Row, skipped } from './rows.ts'

export function insideWhat({ name }: TargetTask): Pick<Enforcement, 'name' | 'kind' | 'requested'> {
  return { name: 'inside', kind: 'isolation', requested: `task ${name}` }
}

/** The shim's own clock and its own count hold everywhere. */
export const byShim: ReadonlySet<string> = new Set(['wallTimeMs', 'outputBytes'])

/**
 * What runs inside a task shares the task's limits. Those of one process, and of its own time and output, can
 * be its own, and what it has cgroups for: `own` are the rows of these.
 */
export function execLimitRows(
  resources: Resources,
  { rlimits, own = [] }: { rlimits: boolean; own?: readonly Row[] },
): Row[] {
  return requestedLimits(resources).map(what => {
    const found = own.find(({ name }) => name === what.name)
    if (found !== undefined) return found
    return byShim.has(what.name) || (rlimits && what.name.startsWith('rlimits.'))
      ? enforced(what)
      : skipped(what, 'what runs inside a task shares the limits of the task', "update() the task's own")
  })
}
