import type { Enforcement, IoLimit, Resources } from '../api.ts'
import { limitField } from '../command/memory-limit.ts'

/**
 * The limits of a task that is given others: what is not named stays. Of `rlimits` that is each name, of `io`
 * each number of a device.
 */
export function mergeResources(current: Resources | null, asked: Resources): Resources {
  const changed = new Set(Object.keys(asked).map(limitField))
  const kept = Object.entries(current ?? {}).filter(([field]) => !changed.has(limitField(field)))
  return {
    ...Object.fromEntries(kept),
    ...asked,
    ...(asked.rlimits && { rlimits: { ...current?.rlimits, ...asked.rlimits } }),
    ...(asked.io && { io: mergeDevices(current?.io ?? [], asked.io) }),
  }
}

function mergeDevices(current: readonly IoLimit[], asked: readonly IoLimit[]): IoLimit[] {
  const merged = new Map(current.map(limit => [limit.device, limit]))
  for (const limit of asked) merged.set(limit.device, { ...merged.get(limit.device), ...limit })
  return [...merged.values()]
}

/**
 * The rows of the limits that were changed take the place of the earlier ones; new ones come after the other
 * limits.
 */
export function mergeRows(
  current: readonly Enforcement[],
  changed: readonly Enforcement[],
): readonly Enforcement[] {
  const names = new Set(changed.map(({ name }) => limitField(name)))
  const kept = current.filter(({ kind, name }) => kind !== 'limit' || !names.has(limitField(name)))
  const limits = kept.filter(({ kind }) => kind === 'limit')
  return [...limits, ...changed, ...kept.filter(({ kind }) => kind !== 'limit')]
}
