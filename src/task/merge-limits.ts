import type { Enforcement, IoLimit, Resources } from '../api.ts'

/**
 * The limits of a task that is given others: what is not named stays. Of `rlimits` that is each name, of `io`
 * each number of a device.
 */
export function mergeResources(current: Resources | null, asked: Resources): Resources {
  const { memoryMB, memoryBytes, ...rest } = current ?? {}
  // Two names of one limit.
  const memory =
    asked.memoryMB !== undefined || asked.memoryBytes !== undefined
      ? {}
      : { ...(memoryMB !== undefined && { memoryMB }), ...(memoryBytes !== undefined && { memoryBytes }) }
  return {
    ...rest,
    ...memory,
    ...asked,
    ...(asked.rlimits && { rlimits: { ...rest.rlimits, ...asked.rlimits } }),
    ...(asked.io && { io: mergeDevices(rest.io ?? [], asked.io) }),
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
  const names = new Set(changed.map(({ name }) => aliases[name] ?? name))
  const kept = current.filter(({ kind, name }) => kind !== 'limit' || !names.has(aliases[name] ?? name))
  const limits = kept.filter(({ kind }) => kind === 'limit')
  return [...limits, ...changed, ...kept.filter(({ kind }) => kind !== 'limit')]
}

const aliases: Readonly<Record<string, string>> = { memoryMB: 'memoryBytes' }
