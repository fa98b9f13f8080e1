import type { Scope } from '../spawn/scope.ts'
import { type Row, weakened } from './rows.ts'

/** Nothing to say where all is well, or where nobody manages units. */
export function scopeRows(scope: Scope | null): readonly Row[] {
  if (scope === null || 'unit' in scope) return []
  const what = { name: 'scope', kind: 'isolation', requested: 'a unit of its own' } as const
  return [weakened(what, `${scope.reason}: a stop of the supervisor's unit stops the task too`, scope.hint)]
}
