import type { VerifiedRow } from '../../index.ts'
import { escaped } from './escape.ts'
import { type TableOptions, table } from './table.ts'

/** The table of `verify`: what was asked for, what became of it, what is in force now, and what was at the
 * start. */
export function verificationTable(rows: readonly VerifiedRow[], options: TableOptions): string {
  const { colors } = options
  const paint = { holds: colors.green, differs: colors.red, unread: colors.yellow, unverifiable: colors.dim }
  const cells = rows.map(({ name, requested, status, verdict, inForce, atStart }) => [
    escaped(name),
    escaped(requested),
    status,
    paint[verdict](verdict),
    escaped(inForce ?? '-'),
    atStart === null ? '-' : paint[atStart.verdict](escaped(atStart.inForce ?? '-')),
  ])
  return table(['NAME', 'ASKED', 'STATUS', 'VERDICT', 'IN FORCE', 'AT START'], cells, options)
}
