import Table from 'cli-table3'
import type { Observed } from './observed.ts'

/** Something that is otherwise under the two drivers. Null where one of them does not have it. */
export type Differing = {
  readonly file: string
  readonly what: string
  readonly theirs: string | null
  readonly ours: string | null
}

/** Where a difference is expected, and the rows of docs/nomad.md (by their first cells) that say why. */
export type Explained = {
  readonly file: RegExp
  readonly what: RegExp
  /** Of both values together, in that order. */
  readonly values?: RegExp
  readonly rows: readonly string[]
}

/** Allocations of one job are alike, and come in any order. */
export function compare(file: string, theirs: readonly Observed[], ours: readonly Observed[]): Differing[] {
  const rest = [...ours]
  const found = theirs.map(one => {
    const nearest = rest.toSorted((a, b) => between(file, one, a).length - between(file, one, b).length)[0]
    if (nearest === undefined) return [{ file, what: 'allocations', theirs: 'one more', ours: null }]
    rest.splice(rest.indexOf(nearest), 1)
    return between(file, one, nearest)
  })
  return found.flat()
}

function between(file: string, theirs: Observed, ours: Observed): Differing[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])]
    .map(what => ({ file, what, theirs: theirs.get(what) ?? null, ours: ours.get(what) ?? null }))
    .filter(({ theirs: one, ours: other }) => one !== other)
}

export function explanationOf(
  { file, what, theirs, ours }: Differing,
  explained: readonly Explained[],
): Explained | undefined {
  return explained.find(
    one => one.file.test(file) && one.what.test(what) && (one.values?.test(`${theirs}\n${ours}`) ?? true),
  )
}

export function differenceTable(
  differences: readonly Differing[],
  named: string,
  rowOf: (difference: Differing) => string,
): string {
  const table = new Table({
    head: ['job', 'what', named, 'holdfast', 'row of docs/nomad.md'],
    style: { head: [], border: [] },
    colWidths: [26, 24, 44, 44, 22],
    wordWrap: true,
  })
  for (const one of differences)
    table.push([one.file, one.what, one.theirs ?? '(not there)', one.ours ?? '(not there)', rowOf(one)])
  return table.toString()
}
