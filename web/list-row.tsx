import { labelsOf } from './choice.ts'
import { ending, tone } from './ending.ts'
import { store } from './store.ts'
import { bytesText, percentText, visible } from './text.ts'
import type { Row } from './types.ts'

type Props = {
  row: Row
  top: number
  position: number
  total: number
  selected: boolean
  /** The one that the keyboard is at. */
  active: boolean
  open: (key: string) => void
}

export function ListRow({ row, top, position, total, selected, active, open }: Props) {
  const latest = store.usage.get(row.key)?.samples.at(-1)
  const up = row.state === 'running' || row.state === 'stopping'
  const labels = visible(labelsOf(row).join(' '))
  return (
    <div
      class={`row ${active ? 'active' : ''}`}
      role="option"
      id={`row-${row.key}`}
      data-key={row.key}
      data-state={row.state}
      aria-selected={selected}
      aria-posinset={position}
      aria-setsize={total}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => open(row.key)}
    >
      <i class={`dot ${row.state} ${tone(row)}`} aria-hidden="true" />
      <span class="name" title={visible(row.name)}>
        {visible(row.name)}
      </span>
      <span class="figures">
        {up ? `${percentText(latest?.cpu)} · ${bytesText(latest?.memory)}` : ending(row)}
      </span>
      <span class="key" title={labels || undefined}>
        {row.key} <span class="labels">{labels}</span>
      </span>
      <span class="what">{row.state}</span>
    </div>
  )
}
