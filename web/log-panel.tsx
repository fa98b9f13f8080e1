import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Stream } from './log-lines.ts'
import { LogSearch } from './log-search.ts'
import { LogView } from './log-view.tsx'
import { isNarrow } from './narrow.ts'
import { bytesText } from './text.ts'
import type { Row } from './types.ts'
import { useLog } from './use-log.ts'

/** What the task prints: both streams in order or one of them, with times, followed and searched. */
export function LogPanel({ row }: { row: Row }) {
  const [stream, setStream] = useState<Stream | null>(null)
  const [follow, setFollow] = useState(true)
  const [times, setTimes] = useState(!isNarrow())
  const [query, setQuery] = useState('')
  /** The number of the line that the search is at. */
  const [current, setCurrent] = useState<number | null>(null)
  const begun = row.state !== 'configured' && row.state !== 'limited'
  const { lines, skipped, error } = useLog(row.key, stream, begun)
  const search = useSearch(query, lines)
  search.update(lines)
  // At once: after the page has been painted it would take back what a key has gone to meanwhile.
  useLayoutEffect(() => setCurrent(null), [query, lines])

  const step = (by: 1 | -1): void => {
    const { hits } = search
    if (hits.length === 0) return
    // From the end, where one looks at first.
    const before = current === null ? (by === 1 ? -1 : hits.length) : hits.findIndex(hit => hit >= current)
    const at = before === -1 && current !== null ? hits.length : before
    setFollow(false)
    setCurrent(hits[(at + by + hits.length) % hits.length] ?? null)
  }
  const count = lines.first + lines.lines.length
  return (
    <section class="panel logs" aria-labelledby="logs">
      <div class="heading">
        <h3 id="logs">Logs</h3>
        <span class="count" data-testid="line-count">
          {count === 1 ? '1 line' : `${count.toLocaleString('en')} lines`}
        </span>
      </div>
      <div class="tools">
        <div class="tabs" role="group" aria-label="Stream">
          {([null, 'stdout', 'stderr'] as const).map(name => (
            <button type="button" key={name} aria-pressed={stream === name} onClick={() => setStream(name)}>
              {name ?? 'both'}
            </button>
          ))}
        </div>
        <div class="search" role="search">
          <input
            type="search"
            placeholder="Search the log"
            aria-label="Search the log"
            value={query}
            onInput={event => setQuery(event.currentTarget.value)}
            onKeyDown={event => {
              if (event.key !== 'Enter') return
              event.preventDefault()
              step(event.shiftKey ? -1 : 1)
            }}
          />
          {query !== '' && (
            <>
              <span class="found" role="status" data-testid="found">
                {foundText(search.hits, current)}
              </span>
              <button
                type="button"
                aria-label="Previous line"
                disabled={search.hits.length === 0}
                onClick={() => step(-1)}
              >
                ↑
              </button>
              <button
                type="button"
                aria-label="Next line"
                disabled={search.hits.length === 0}
                onClick={() => step(1)}
              >
                ↓
              </button>
            </>
          )}
        </div>
        <div class="checks">
          <Check text="times" checked={times} change={setTimes} />
          <Check text="follow" checked={follow} change={setFollow} />
        </div>
      </div>
      {skipped > 0 && (
        <p class="skipped">{bytesText(skipped)} left out: it prints faster than this page or its log takes</p>
      )}
      {error !== null && <p class="skipped">The log cannot be read any further: {error}</p>}
      <LogView
        log={lines}
        times={times}
        query={query}
        current={current}
        follow={follow}
        setFollow={setFollow}
      >
        {!begun ? 'It has not started yet.' : row.state === 'exited' ? 'It printed nothing.' : 'Nothing yet.'}
      </LogView>
    </section>
  )
}

function Check({ text, checked, change }: { text: string; checked: boolean; change: (on: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={event => change(event.currentTarget.checked)} />{' '}
      {text}
    </label>
  )
}

/** One search of one log: another begins with another text, or another log. */
function useSearch(query: string, lines: object): LogSearch {
  const kept = useRef<{ readonly search: LogSearch; readonly lines: object } | null>(null)
  if (kept.current === null || kept.current.search.query !== query || kept.current.lines !== lines)
    kept.current = { search: new LogSearch(query), lines }
  return kept.current.search
}

function foundText(hits: readonly number[], current: number | null): string {
  if (hits.length === 0) return 'none'
  const at = current === null ? -1 : hits.indexOf(current)
  return at === -1 ? `${hits.length} found` : `${at + 1} of ${hits.length}`
}
