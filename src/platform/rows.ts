import { wordsOfRules } from '../command/destinations.ts'
import type { Enforcement } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { shortfalls } from '../shortfalls.ts'

/** An enforcement row while it is being decided. `chosen` ones weaken nothing, so `strict` lets them pass. */
export type Row = Enforcement

export const askedFor = 'asked for'

type What = Pick<Enforcement, 'name' | 'kind' | 'requested'>

export function enforced(what: What): Row {
  return { ...what, status: 'enforced', reason: null, hint: null, chosen: true }
}

/** Something the caller loosened, or a default that isolates nothing. */
export function loosened(what: What, reason: string = askedFor, hint: string | null = null): Row {
  return { ...what, status: 'skipped', reason, hint, chosen: true }
}

export function skipped(what: What, reason: string, hint: string | null): Row {
  return { ...what, status: 'skipped', reason, hint, chosen: false }
}

export function weakened(what: What, reason: string, hint: string | null): Row {
  return { ...what, status: 'weakened', reason, hint, chosen: false }
}

/** Limits that were wanted only where the host has them: what became of them is told, and is no shortfall. */
export function whereAvailable(rows: readonly Row[], names: readonly string[] = []): Row[] {
  return rows.map(row =>
    row.kind === 'limit' && row.status !== 'enforced' && names.includes(row.name) ? asDefault(row) : row,
  )
}

/** Nobody asked for it: a row that is told, and no shortfall. */
export function asDefault(row: Row): Row {
  return {
    ...row,
    reason: `a default that does not hold here: ${row.reason ?? 'for no reason given'}`,
    chosen: true,
  }
}

/** Of a network with rules; others may come while the task runs. */
export function rulesRow(allow: readonly string[]): Row {
  return enforced({ name: 'network', kind: 'isolation', requested: wordsOfRules(allow) })
}

/** No executor isolates the network unless told to. */
export const networkByDefault: Row = loosened(
  { name: 'network', kind: 'isolation', requested: 'host' },
  "the default: the task uses the host's network",
  "network: 'none'",
)

/**
 * The rows as reported. With `strict`, throws LIMIT_FAILED or ISOLATION_FAILED naming every row that is less
 * than asked for. Called before anything is made on the host.
 */
export function refuseIfStrict(rows: readonly Row[], strict: boolean): readonly Enforcement[] {
  const missed = strict ? shortfalls(rows) : []
  const [first] = missed
  if (!first) return rows
  const code = missed.some(({ kind }) => kind === 'limit') ? 'LIMIT_FAILED' : 'ISOLATION_FAILED'
  const reasons = [...new Set(missed.map(({ reason }) => reason))]
  const list = reasons
    .map(
      shared =>
        `${missed.flatMap(({ name, reason }) => (reason === shared ? name : [])).join(', ')} (${shared})`,
    )
    .join('; ')
  const hints = [...new Set(missed.flatMap(({ hint }) => hint ?? []))]
  throw new HoldfastError(code, `strict: this host cannot enforce ${list}`, {
    hint: hints.length > 0 ? hints.join('; ') : 'start without strict to accept less',
  })
}
