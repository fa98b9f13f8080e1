import { statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { StateDirectory } from '../task/task-directory.ts'

/** What kind of thing was left behind. */
export type LeftoverKind =
  'cgroup' | 'task' | 'file' | 'allocation' | 'supervisor' | 'mount' | 'user' | 'project'

/** Something that no task owns, and how to remove it; null where that is left to the administrator. */
export type Found = {
  readonly kind: LeftoverKind
  readonly path: string
  readonly why: string
  readonly remove: (() => Promise<void> | void) | null
}

export type AuditContext = {
  readonly state: StateDirectory
  /** Where is written down which users are one task's each. */
  readonly registry: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * What is younger may be in the making: between mkdir and the first join, between a temporary file and its
 * rename.
 */
const quietMs = 10_000

/**
 * Whether nothing has been made or removed in it for that long. What is gone counts as young: there is
 * nothing to be done about it.
 */
export function isAged({ now }: AuditContext, path: string, ageMs = quietMs): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats !== undefined && now - stats.mtimeMs > ageMs
}

/** The user it belongs to; root for what is gone. */
export function ownerOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.uid ?? 0
}

/** Looks at many things in turn, and lets others run in between. */
export async function each<Item>(
  items: readonly Item[],
  scan: (item: Item) => readonly Found[],
): Promise<Found[]> {
  const found: Found[] = []
  for (const [index, item] of items.entries()) {
    if (index % 100 === 99) await setImmediate()
    found.push(...scan(item))
  }
  return found
}
