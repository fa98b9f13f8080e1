import type { Enforcement } from '../api.ts'

/** Rows of one name. Of so many kinds of tasks that each has its own, some are shared less. */
const maxAlike = 16
const maxNames = 256

const known = new Map<string, Enforcement[]>()

/**
 * The same rows, each once in memory for all tasks that were read with it: most are the same for all tasks of
 * a kind, and they are the larger part of what is kept of one.
 */
export function sharedRows(rows: readonly Enforcement[]): readonly Enforcement[] {
  return rows.map(shared)
}

function shared(row: Enforcement): Enforcement {
  const { name } = row
  const alike = known.get(name) ?? []
  const first = alike.find(other => isSame(other, row))
  if (first !== undefined) return first
  if (alike.length === 0 && known.size === maxNames) known.clear()
  known.set(name, [...alike.slice(-(maxAlike - 1)), row])
  return row
}

function isSame(one: Enforcement, other: Enforcement): boolean {
  const names = Object.keys(one) as (keyof Enforcement)[]
  return names.length === Object.keys(other).length && names.every(name => one[name] === other[name])
}
