import {
  type Choice,
  counted,
  everything,
  isNarrowed,
  type Order,
  orders,
  states,
  toggled,
} from './choice.ts'
import { visible } from './text.ts'
import type { Row } from './types.ts'

/** Of more labels than these nobody chooses from a list: the search finds them. */
const maxLabels = 200

type Props = {
  rows: readonly Row[]
  shown: number
  choice: Choice
  choose: (choice: Choice) => void
}

/** What selects from the list: nothing chosen of a group is all of it. */
export function ListFilters({ rows, shown, choice, choose }: Props) {
  const byState = counted(rows, choice, 'state')
  const byLabel = counted(rows, choice, 'label')
  const byEnd = counted(rows, choice, 'end')
  const ends = [...new Set([...byEnd.keys(), ...choice.end])].sort()
  return (
    <div class="filters">
      <div class="chips" role="group" aria-label="States">
        {states.map(state =>
          byState.has(state) || choice.state.includes(state) || state === 'running' ? (
            <Chip
              key={state}
              kind={state}
              text={state}
              count={byState.get(state) ?? 0}
              pressed={choice.state.includes(state)}
              press={() => choose(toggled(choice, 'state', state))}
            />
          ) : null,
        )}
      </div>
      {ends.length > 0 && (
        <div class="chips" role="group" aria-label="Ends">
          {ends.map(end => (
            <Chip
              key={end}
              kind={`exited ${{ 'exit 0': 'good', shutdown: '' }[end] ?? 'bad'}`}
              text={visible(end)}
              count={byEnd.get(end) ?? 0}
              pressed={choice.end.includes(end)}
              press={() => choose(toggled(choice, 'end', end))}
            />
          ))}
        </div>
      )}
      {choice.label.length > 0 && (
        <div class="chips" role="group" aria-label="Labels">
          {choice.label.map(label => (
            <Chip
              key={label}
              kind="label"
              text={visible(label)}
              count={byLabel.get(label) ?? 0}
              pressed={true}
              press={() => choose(toggled(choice, 'label', label))}
            />
          ))}
        </div>
      )}
      <div class="order">
        <select
          aria-label="Order"
          value={choice.order}
          onChange={event => choose({ ...choice, order: event.currentTarget.value as Order })}
        >
          {orders.map(order => (
            <option value={order} key={order}>
              {orderNames[order]}
            </option>
          ))}
        </select>
        <MoreLabels
          counts={byLabel}
          chosen={choice.label}
          add={label => choose(toggled(choice, 'label', label))}
        />
        <span class="count" role="status">
          {isNarrowed(choice) ? `${shown} of ${rows.length}` : tasksText(rows.length)}
        </span>
        {isNarrowed(choice) && (
          <button type="button" class="quiet" onClick={() => choose({ ...everything, order: choice.order })}>
            Show all
          </button>
        )}
      </div>
    </div>
  )
}

export const tasksText = (count: number): string => (count === 1 ? '1 task' : `${count} tasks`)

const orderNames: Readonly<Record<Order, string>> = {
  running: 'running first',
  newest: 'newest first',
  name: 'by name',
  cpu: 'by processor',
  memory: 'by memory',
}

type ChipProps = { kind: string; text: string; count: number; pressed: boolean; press: () => void }

function Chip({ kind, text, count, pressed, press }: ChipProps) {
  return (
    <button type="button" class={`chip ${kind}`} aria-pressed={pressed} onClick={press}>
      <i aria-hidden="true" /> {text} <b>{count}</b>
    </button>
  )
}

type MoreLabelsProps = {
  counts: ReadonlyMap<string, number>
  chosen: readonly string[]
  add: (label: string) => void
}

function MoreLabels({ counts, chosen, add }: MoreLabelsProps) {
  const left = [...counts].filter(([label]) => !chosen.includes(label))
  if (left.length === 0) return null
  const offered = left.sort(([one], [other]) => (one < other ? -1 : 1)).slice(0, maxLabels)
  return (
    <select aria-label="Add a label" value="" onChange={event => add(event.currentTarget.value)}>
      <option value="">Label …</option>
      {offered.map(([label, count]) => (
        <option value={label} key={label}>
          {visible(label)} ({count})
        </option>
      ))}
      {offered.length < left.length && <option disabled>{left.length - offered.length} more: search</option>}
    </select>
  )
}
