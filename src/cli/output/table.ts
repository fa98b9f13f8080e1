import Table from 'cli-table3'
import type { Colors } from './terminal.ts'
import { fitted, widthOf } from './width.ts'

export type TableOptions = {
  readonly colors: Colors
  /** Columns of the terminal; the last column is cut to fit. Undefined cuts nothing. */
  readonly width?: number | undefined
}

const names = ['top', 'bottom', 'left', 'right', 'mid'] as const
const places = ['-mid', '-left', '-right'] as const
const noLines = Object.fromEntries<string>([
  ...names.map(name => [name, ''] as const),
  ...['top', 'bottom'].flatMap(name => places.map(place => [name + place, ''] as const)),
  ...['left-mid', 'mid-mid', 'right-mid'].map(name => [name, ''] as const),
  ['middle', '  '],
])

/** Columns without lines, each row ending with a newline. Cells must be escaped already. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { colors, width }: TableOptions,
): string {
  const lines = new Table({
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  })
  lines.push(head.map(title => colors.bold(title)))
  const room = width === undefined ? Number.POSITIVE_INFINITY : roomForLast(head, rows, width)
  for (const row of rows)
    lines.push(row.map((cell, index) => (index === row.length - 1 ? cut(cell, room) : cell)))
  return lines
    .toString()
    .split('\n')
    .map(line => `${line.trimEnd()}\n`)
    .join('')
}

function roomForLast(head: readonly string[], rows: readonly (readonly string[])[], width: number): number {
  const others = head
    .slice(0, -1)
    .map((title, index) => Math.max(title.length, ...rows.map(row => widthOf(plain(row[index] ?? '')))))
  return Math.max(20, width - others.reduce((sum, column) => sum + column + 2, 0))
}

function cut(cell: string, room: number): string {
  const text = plain(cell)
  return widthOf(text) <= room ? cell : fitted(text, room)
}

function plain(cell: string): string {
  return cell.replace(/\x1b\[\d+m/g, '')
}
