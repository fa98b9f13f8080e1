import { taskStates } from '../../../machines/types.ts'
import type { TaskFacts } from '../task-facts.ts'
import { invalidArgument } from '../../invalid-argument.ts'

type Filtered = Pick<TaskFacts, 'name' | 'state' | 'labels'>
export type TaskFilter = (task: Filtered) => boolean

const states: readonly string[] = taskStates
const takes = `label=NAME, label=NAME=VALUE, name=NAME or state=STATE (${states.join(', ')})`

/**
 * Several of one field are alternatives, but each label is a condition of its own, as are different fields.
 * Throws INVALID_ARGUMENT.
 */
export function parseFilters(texts: readonly string[]): TaskFilter & { readonly namesState: boolean } {
  const filters = texts.map(parseFilter)
  const names = filters.filter(({ field }) => field === 'name')
  const wanted = filters.filter(({ field }) => field === 'state')
  const labels = filters.filter(({ field }) => field === 'label')
  const fits = (task: Filtered): boolean =>
    (names.length === 0 || names.some(({ value }) => task.name === value)) &&
    (wanted.length === 0 || wanted.some(({ value }) => task.state === value)) &&
    labels.every(({ value }) => hasLabel(task, value))
  return Object.assign(fits, { namesState: wanted.length > 0 })
}

function parseFilter(text: string): { readonly field: string; readonly value: string } {
  const [, field, value] = /^(label|name|state)=(.+)$/s.exec(text) ?? []
  if (field === undefined || value === undefined) throw invalidArgument('--filter', text, takes)
  if (field === 'state' && !states.includes(value)) throw invalidArgument('--filter', text, takes)
  return { field, value }
}

function hasLabel({ labels }: Filtered, wanted: string): boolean {
  const [name = '', ...rest] = wanted.split('=')
  if (!Object.hasOwn(labels, name)) return false
  return rest.length === 0 || labels[name] === rest.join('=')
}
