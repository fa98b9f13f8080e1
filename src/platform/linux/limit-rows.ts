import type { Resources } from '../../api.ts'
import { limitField } from '../../command/memory-limit.ts'
import { byShim } from '../exec-rows.ts'
import { type Limits, requestedLimits } from '../limits.ts'
import { enforced, type Row, skipped, weakened } from '../rows.ts'
import type { Shortfall } from './knob.ts'

/** What became of one kernel file. */
export type Outcome = Shortfall | { readonly status: 'enforced' }

const limitNames: Readonly<Record<string, keyof Limits>> = {
  memoryBytes: 'memory',
  swapBytes: 'swap',
  memoryReserveBytes: 'memoryReserve',
}

function limitOf(field: string): keyof Limits {
  const name = limitField(field)
  return limitNames[name] ?? (name as keyof Limits)
}

/** The limits that fields of Resources stand for. Swap goes with the memory that it is on top of. */
export function limitsOf(resources: Resources): ReadonlySet<keyof Limits> {
  const limits = Object.keys(resources).map(limitOf)
  return new Set(limits.includes('memory') ? [...limits, 'swap'] : limits)
}

/** One row per limit asked for, from what became of the files that serve it. */
export function limitRows(resources: Resources, outcomes: ReadonlyMap<string, readonly Outcome[]>): Row[] {
  return requestedLimits(resources).map(what => {
    // What diskBytes comes to is seen to elsewhere (disk.ts).
    if (what.name === 'diskBytes' || byShim.has(what.name) || what.name.startsWith('rlimits.'))
      return enforced(what)
    const limit = limitOf(what.name)
    // An unlimited swap makes the memory limit itself worth less: that row says so when nobody asked for the
    // swap.
    const implied =
      limit === 'memory' && resources.swapBytes === undefined ? (outcomes.get('swap') ?? []) : []
    const own = outcomes.get(limit) ?? []
    if (own.length === 0)
      return skipped(what, 'swapBytes has no effect on cgroup v1 without memoryBytes', 'set memoryBytes too')
    return rowOf(what, [...own, ...implied])
  })
}

function rowOf(what: Parameters<typeof enforced>[0], outcomes: readonly Outcome[]): Row {
  const short = outcomes.filter((outcome): outcome is Shortfall => outcome.status !== 'enforced')
  const worst = short.find(({ status }) => status === 'skipped') ?? short[0]
  if (!worst) return enforced(what)
  const all = outcomes.every(({ status }) => status === 'skipped')
  return all ? skipped(what, worst.reason, worst.hint) : weakened(what, worst.reason, worst.hint)
}
