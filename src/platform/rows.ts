import type { Enforcement } from '../api.ts'
import { HoldfastError } from '../errors.ts'

/**
 * An enforcement row while it is being decided. `chosen` rows are what the caller asked for, or holdfast's own documented default:
 * they weaken nothing, so `strict` lets them pass.
 */
export type Row = { readonly row: Enforcement; readonly chosen: boolean }

export const askedFor = 'asked for'

type What = Pick<Enforcement, 'name' | 'kind' | 'requested'>

export function enforced(what: What): Row {
  return { row: { ...what, status: 'enforced', reason: null, mend: null }, chosen: true }
}

/** Something the caller loosened, or a default that isolates nothing. */
export function loosened(what: What, reason: string = askedFor, mend: string | null = null): Row {
  return { row: { ...what, status: 'skipped', reason, mend }, chosen: true }
}

export function skipped(what: What, reason: string, mend: string | null): Row {
  return { row: { ...what, status: 'skipped', reason, mend }, chosen: false }
}

export function weakened(what: What, reason: string, mend: string | null): Row {
  return { row: { ...what, status: 'weakened', reason, mend }, chosen: false }
}

/**
 * The rows as reported. With `strict`, throws LIMIT_FAILED or ISOLATION_FAILED naming every row that is less than asked for.
 * Called before anything is made on the host.
 */
export function settle(rows: readonly Row[], strict: boolean): Enforcement[] {
  const short = strict ? rows.filter(({ chosen, row }) => !chosen && row.status !== 'enforced') : []
  const [first] = short
  if (!first) return rows.map(({ row }) => row)
  const code = short.some(({ row }) => row.kind === 'limit') ? 'LIMIT_FAILED' : 'ISOLATION_FAILED'
  const list = short.map(({ row }) => `${row.name} (${row.reason})`).join('; ')
  const mends = [...new Set(short.flatMap(({ row }) => row.mend ?? []))]
  throw new HoldfastError(code, `strict: this host cannot enforce ${list}`, {
    hint: mends.length > 0 ? mends.join('; ') : 'start without strict to accept less',
  })
}
