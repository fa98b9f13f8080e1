import type { Command } from '../../api.ts'
import type { Access } from './access.ts'
import { type Isolation, type Walls, wallsOf, withHostname } from './isolation.ts'

/** By the right that it was decided for: another object when something of that has changed. */
const decided = new WeakMap<Access, Map<string, Walls>>()
const maxKinds = 32

/**
 * As isolationOf(), which most tasks of a program ask the same: they are of a few kinds.
 * Throws as that does.
 */
export function isolationOfKind(command: Readonly<Command>, taskName: string, access: Access): Isolation {
  const kinds = decided.get(access) ?? new Map<string, Walls>()
  // All but what has no part in it: so nothing is forgotten here that has one some day.
  const kind = JSON.stringify({ ...command, path: '', args: [], env: {}, name: undefined })
  const walls = kinds.get(kind) ?? wallsOf(command, access)
  if (!kinds.has(kind)) {
    if (kinds.size >= maxKinds) kinds.clear()
    decided.set(access, kinds.set(kind, walls))
  }
  return withHostname(walls, command, taskName)
}
