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
 * What runs inside a task shares the task's limits; only those of one process, and of its own time, can be
 * its own.
 */
export function execLimitRows(resources: Resources, { rlimits }: { rlimits: boolean }): Row[] {
  return requestedLimits(resources).map(what =>
    byShim.has(what.name) || (rlimits && what.name.startsWith('rlimits.'))
      ? enforced(what)
      : skipped(what, 'what runs inside a task shares the limits of the task', "update() the task's own"),
  )
}
