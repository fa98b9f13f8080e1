import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { type Choice, chosen, everything, isNarrowed } from './choice.ts'
import { ListFilters, tasksText } from './list-filters.tsx'
import { ListRow } from './list-row.tsx'
import { isNarrow } from './narrow.ts'
import { useStore } from './store.ts'
import { Runway, useViewport } from './viewport.tsx'

const rowHeight = 54

type Props = {
  selected: string | null
  choice: Choice
  choose: (choice: Choice) => void
  /** Shows it; `enter`: and goes there with the keyboard. */
  open: (key: string, enter: boolean) => void
}

export function List({ selected, choice, choose, open }: Props) {
  const store = useStore()
  const [active, setActive] = useState(selected)
  const field = useSearchKey()
  const view = useViewport(rowHeight)
  // At once: after the page has been painted it would take back a step that was taken meanwhile.
  useLayoutEffect(() => setActive(selected), [selected])

  const all = [...store.rows.values()].reverse()
  const shown = chosen(all, choice, key => store.usage.get(key)?.samples.at(-1))
  const { first, count } = view.within(shown.length)
  const window = shown.slice(first, first + count)
  const move = (event: KeyboardEvent): void => {
    const at = shown.findIndex(({ key }) => key === active)
    const here = shown[at]
    if ((event.key === 'Enter' || event.key === ' ') && here !== undefined) {
      event.preventDefault()
      open(here.key, true)
      return
    }
    const to = landing(event.key, at, shown.length, view.page)
    const target = to === null ? undefined : shown[to]
    if (to === null || target === undefined) return
    event.preventDefault()
    setActive(target.key)
    // Where the task takes the place of the list, a step in the list is no wish to leave it.
    if (!isNarrow()) open(target.key, false)
    view.reveal(to)
  }
  return (
    <nav class="list" aria-label="Tasks">
      <input
        ref={field}
        type="search"
        placeholder="Search name, key, program, label   ( / )"
        aria-label="Search tasks"
        value={choice.search}
        onInput={event => choose({ ...choice, search: event.currentTarget.value })}
      />
      <ListFilters rows={all} shown={shown.length} choice={choice} choose={choose} />
      <div
        ref={view.box}
        class="rows"
        role="listbox"
        aria-label={tasksText(shown.length)}
        tabIndex={0}
        aria-activedescendant={window.some(({ key }) => key === active) ? `row-${active}` : undefined}
        onScroll={view.scrolled}
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
              active={row.key === active}
              open={key => open(key, isNarrow())}
            />
          ))}
        </Runway>
        {shown.length === 0 && (
          <Nothing
            loaded={store.loaded}
            narrowed={all.length > 0 && isNarrowed(choice)}
            showAll={() => choose({ ...everything, order: choice.order })}
          />
        )}
      </div>
    </nav>
  )
}

/** Where a key leads; null: it is none of the list's. */
function landing(key: string, at: number, count: number, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -1e9,
    End: 1e9,
  }
  const step = steps[key]
  if (step === undefined || count === 0) return null
  return Math.min(count - 1, Math.max(0, at === -1 && step > 0 ? step - 1 : at + step))
}

function Nothing({ loaded, narrowed, showAll }: { loaded: boolean; narrowed: boolean; showAll: () => void }) {
  if (!narrowed) return <p class="nothing">{loaded ? 'No task yet.' : 'Loading …'}</p>
  return (
    <div class="nothing">
      <p>Nothing fits.</p>
      <button type="button" onClick={showAll}>
        Show all
      </button>
    </div>
  )
}

/** `/` leads to the search from everywhere but another field. */
function useSearchKey() {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const writing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
      if (event.key !== '/' || writing) return
      event.preventDefault()
      field.current?.focus()
    }
    addEventListener('keydown', focus)
    return () => removeEventListener('keydown', focus)
  }, [])
  return field
}
