import type { Row } from './types.ts'

/** What runs comes first. */
const ranks: Readonly<Record<Row['state'], number>> = {
  running: 0,
  stopping: 1,
  limited: 2,
  configured: 3,
  exited: 4,
}
export const states = Object.keys(ranks) as readonly Row['state'][]
export const orders = ['running', 'newest', 'name', 'cpu', 'memory'] as const
export type Order = (typeof orders)[number]

/** What of the tasks is shown, and in which order. Of a group from which nothing was chosen all is shown. */
export type Choice = {
  readonly search: string
  readonly state: readonly string[]
  /** A cause, `exit 0` or `exit ≠ 0`. */
  readonly end: readonly string[]
  /** `NAME=VALUE`. */
  readonly label: readonly string[]
  readonly order: Order
}

export const everything: Choice = { search: '', state: [], end: [], label: [], order: 'running' }

type Group = 'state' | 'end' | 'label'

/** Its cause; of one that has exited by itself, whether well. Null: it has not ended. */
function endOf({ state, cause, exitCode }: Row): string | null {
  if (state !== 'exited' || cause === null) return null
  if (cause !== 'exited') return cause
  return exitCode === 0 ? 'exit 0' : 'exit ≠ 0'
}

export function labelsOf({ labels }: Row): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`)
}

export function isNarrowed(choice: Choice): boolean {
  return choice.search !== '' || choice.state.length + choice.end.length + choice.label.length > 0
}

/** Of several labels of one name it has one, and so of each name. */
function fits(row: Row, choice: Choice, except?: Group): boolean {
  const has: Record<Group, () => boolean> = {
    state: () => choice.state.length === 0 || choice.state.includes(row.state),
    end: () => choice.end.length === 0 || choice.end.includes(endOf(row) ?? ''),
    label: () => {
      const own = labelsOf(row)
      return choice.label.every(
        wanted =>
          own.includes(wanted) ||
          choice.label.some(other => nameIn(other) === nameIn(wanted) && own.includes(other)),
      )
    },
  }
  return (
    (Object.keys(has) as Group[]).every(group => group === except || has[group]()) &&
    isFound(row, choice.search)
  )
}

const nameIn = (label: string): string => label.slice(0, label.indexOf('='))

function isFound(row: Row, search: string): boolean {
  if (search === '') return true
  const wanted = search.toLowerCase()
  return [row.name, row.key, row.program, ...labelsOf(row)].some(text => text.toLowerCase().includes(wanted))
}

/** How many tasks each value of a group would show, by what was chosen in the others. */
export function counted(rows: readonly Row[], choice: Choice, group: Group): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) {
    if (!fits(row, choice, group)) continue
    const values = group === 'state' ? [row.state] : group === 'end' ? [endOf(row) ?? ''] : labelsOf(row)
    for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return counts
}

/** What a task uses now, by its key; null where that is not known. */
type Using = (key: string) => { readonly cpu: number | null; readonly memory: number | null } | undefined

/** Those that were chosen, of rows that come with the newest first; equals stay in that order. */
export function chosen(rows: readonly Row[], choice: Choice, using: Using): Row[] {
  const shown = rows.filter(row => fits(row, choice))
  const { order } = choice
  if (order === 'newest') return shown
  if (order === 'running') return shown.sort((one, other) => ranks[one.state] - ranks[other.state])
  if (order === 'name') return shown.sort((one, other) => inOrder.compare(one.name, other.name))
  const used = ({ key }: Row): number => using(key)?.[order] ?? -1
  return shown.sort((one, other) => used(other) - used(one))
}

/** web-2 before web-10. */
const inOrder = new Intl.Collator('en', { numeric: true })

export function toggled(choice: Choice, group: Group, value: string): Choice {
  const before = choice[group]
  return {
    ...choice,
    [group]: before.includes(value) ? before.filter(each => each !== value) : [...before, value],
  }
}
