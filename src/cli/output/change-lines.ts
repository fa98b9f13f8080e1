import type { Change } from '../../index.ts'
import { escaped } from './escape.ts'
import type { Colors } from './terminal.ts'

/** A line for each entry that a task has changed in its overlay, in the order of their paths. */
export function changeLines(changes: readonly Change[], colors: Colors): string {
  const paint = { added: colors.green, changed: colors.yellow, deleted: colors.red }
  return [...changes]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(change => `${paint[change.kind](`${letters[change.kind]} ${nameOf(change)}`)}${markOf(change)}\n`)
    .join('')
}

const letters = { added: 'A', changed: 'M', deleted: 'D' } as const

function nameOf({ path, type, target }: Change): string {
  if (type === 'directory') return `${escaped(path)}/`
  return target === null ? escaped(path) : `${escaped(path)} -> ${escaped(target)}`
}

function markOf({ conflict, type }: Change): string {
  if (type === 'other') return ' (a FIFO, socket or device: never put in place)'
  return conflict ? ' (conflict: it has changed on the host, too)' : ''
}
