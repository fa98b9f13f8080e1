import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { store as known, useStore } from './store.ts'
import { bytesText, percentText, visible } from './text.ts'
import type { Row } from './types.ts'

const states = ['limited', 'running', 'stopping', 'exited'] as const
const rowHeight = 54
/** Rows beyond the edges, so that a fast scroll shows no gap. */
const margin = 8

export function List({ selected, select }: { selected: string | null; select: (key: string) => void }) {
  const store = useStore()
  const [search, setSearch] = useState('')
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const box = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry?.contentRect.height ?? 600))
    if (box.current !== null) observer.observe(box.current)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return
      event.preventDefault()
      field.current?.focus()
    }
    addEventListener('keydown', focus)
    return () => removeEventListener('keydown', focus)
  }, [])

  const all = [...store.rows.values()].reverse()
  const counts = new Map<string, number>()
  for (const { state } of all) counts.set(state, (counts.get(state) ?? 0) + 1)
  const wanted = search.toLowerCase()
  const shown = all.filter(
    ({ state, name, key, program }) =>
      !hidden.has(state) && [name, key, program].some(text => text.toLowerCase().includes(wanted)),
  )
  const first = Math.max(0, Math.floor(top / rowHeight) - margin)
  const window = shown.slice(first, first + Math.ceil(height / rowHeight) + 2 * margin)

  const move = (event: KeyboardEvent): void => {
    const at = shown.findIndex(({ key }) => key === selected)
    const page = Math.max(1, Math.floor(height / rowHeight) - 1)
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -1e9,
      End: 1e9,
    }
    const step = steps[event.key]
    if (step === undefined || shown.length === 0) return
    event.preventDefault()
    const to = Math.min(shown.length - 1, Math.max(0, at === -1 && step > 0 ? step - 1 : at + step))
    const target = shown[to]
    if (target === undefined) return
    select(target.key)
    const view = box.current
    if (view === null) return
    if (to * rowHeight < view.scrollTop) view.scrollTop = to * rowHeight
    else if ((to + 1) * rowHeight > view.scrollTop + view.clientHeight)
      view.scrollTop = (to + 1) * rowHeight - view.clientHeight
  }
  const toggle = (state: string): void => {
    const next = new Set(hidden)
    if (!next.delete(state)) next.add(state)
    setHidden(next)
  }
  return (
    <nav class="list" aria-label="Tasks">
      <input
        ref={field}
        type="search"
        placeholder="Search name, key, program   ( / )"
        aria-label="Search tasks"
        value={search}
        onInput={event => setSearch(event.currentTarget.value)}
      />
      <div class="chips" role="group" aria-label="States shown">
        {states.map(state => (
          <button
            type="button"
            class={`chip ${state}`}
            key={state}
            aria-pressed={!hidden.has(state)}
            onClick={() => toggle(state)}
          >
            <i aria-hidden="true" /> {state} <b>{counts.get(state) ?? 0}</b>
          </button>
        ))}
      </div>
      <div
        ref={box}
        class="rows"
        role="listbox"
        aria-label={`${shown.length} tasks`}
        tabIndex={0}
        aria-activedescendant={window.some(({ key }) => key === selected) ? `row-${selected}` : undefined}
        onScroll={event => setTop(event.currentTarget.scrollTop)}
        onKeyDown={move}
      >
        <Runway height={shown.length * rowHeight}>
          {window.map((row, index) => (
            <ListRow
              key={row.key}
              row={row}
              top={(first + index) * rowHeight}
              position={first + index + 1}
              total={shown.length}
              selected={row.key === selected}
              select={select}
            />
          ))}
        </Runway>
        {shown.length === 0 && <p class="nothing">{all.length === 0 ? 'No task.' : 'Nothing fits.'}</p>}
      </div>
    </nav>
  )
}

/**
 * As tall as all rows would be. By the style object, which a content security policy lets through, unlike a
 * style attribute.
 */
function Runway({ height, children }: { height: number; children: ComponentChildren }) {
  return (
    <div class="runway" role="presentation" style={{ height: `${height}px` }}>
      {children}
    </div>
  )
}

type RowProps = {
  row: Row
  top: number
  position: number
  total: number
  selected: boolean
  select: (key: string) => void
}

function ListRow({ row, top, position, total, selected, select }: RowProps) {
  const latest = known.usage.get(row.key)?.samples.at(-1)
  const up = row.state === 'running' || row.state === 'stopping'
  return (
    <div
      class="row"
      role="option"
      id={`row-${row.key}`}
      data-key={row.key}
      data-state={row.state}
      aria-selected={selected}
      aria-posinset={position}
      aria-setsize={total}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => select(row.key)}
    >
      <i class={`dot ${row.state} ${tone(row)}`} aria-hidden="true" />
      <span class="name">{visible(row.name)}</span>
      <span class="figures">
        {up ? `${percentText(latest?.cpu)} · ${bytesText(latest?.memory)}` : ending(row)}
      </span>
      <span class="key">{row.key}</span>
      <span class="what">{row.state}</span>
    </div>
  )
}

/** Good, bad, or neither. */
export function tone({ state, cause, exitCode }: Row): string {
  if (state !== 'exited') return ''
  if (cause === 'exited') return exitCode === 0 ? 'good' : 'bad'
  return cause === 'shutdown' ? '' : 'bad'
}

export function ending({ cause, exitCode }: Row): string {
  if (cause === null) return ''
  return cause === 'exited' ? `exit code ${exitCode}` : cause
}
