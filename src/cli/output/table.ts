import { type Colors, colorsFor } from './terminal.ts'
import { fitted, widthOf } from './width.ts'

export type TableOptions = {
  readonly colors: Colors
  /** Columns of the terminal; the last column is cut to fit. Undefined cuts nothing. */
  readonly width?: number | undefined
}

/** For what goes to standard output. */
export function tableOptions(): TableOptions {
  return { colors: colorsFor(process.stdout), width: process.stdout.columns }
}

/** Columns without lines, each row ending with a newline. Cells must be escaped already. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { colors, width = Number.POSITIVE_INFINITY }: TableOptions,
): string {
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map(row => columnsOf(row[index] ?? ''))),
  )
  const last = head.length - 1
  const room = Math.max(
    20,
    widths.slice(0, last).reduce((left, column) => left - column - 2, width),
  )
  return [
    head.map(title => colors.bold(title)),
    ...rows.map(row => row.with(last, cut(row[last] ?? '', room))),
  ]
    .map(cells =>
      cells
        .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - columnsOf(cell))))
        .join('  '),
    )
    .map(line => `${line.trimEnd()}\n`)
    .join('')
}

function cut(cell: string, room: number): string {
  return columnsOf(cell) <= room ? cell : fitted(plain(cell), room)
}

function columnsOf(cell: string): number {
  return widthOf(plain(cell))
}

/** Without colours. */
function plain(cell: string): string {
  return cell.replace(/\x1b\[\d+m/g, '')
}
