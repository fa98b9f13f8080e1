import type { Enforcement } from './api.ts'

/**
 * What is less than asked for, or than is the default, by nobody's choice: what strict refuses, and what
 * everybody is told of.
 */
export function shortfalls(rows: readonly Enforcement[]): readonly Enforcement[] {
  return rows.filter(({ chosen, status }) => !chosen && status !== 'enforced')
}
