import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Line, LogLines } from './log-lines.ts'
import { LogRows } from './log-rows.ts'
import { marked } from './log-search.ts'
import { timeText } from './text.ts'

/** As the style sheet has it, pixels. */
const rowHeight = 18
/** Rows beyond the edges, so that a fast scroll shows no gap. */
const margin = 20

type Props = {
  log: LogLines
  times: boolean
  query: string
  /** The number of the line to be shown. */
  current: number | null
  follow: boolean
  setFollow: (follow: boolean) => void
  /** In the place of lines, where there are none. */
  children: ComponentChildren
}

/** The lines that are in sight, and few beyond: what a task prints is text and stays text. */
export function LogView({ log, times, query, current, follow, setFollow, children }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const probe = useRef<HTMLDivElement>(null)
  const rows = useRef(new LogRows())
  const { columns, height } = useColumns(box, probe, times)
  const [top, setTop] = useState(0)
  const gone = rows.current.update(log, columns)
  const { total } = rows.current
  const from = follow ? Math.max(0, total * rowHeight - height) : Math.max(0, top - gone * rowHeight)
  const first = rows.current.at(Math.floor(from / rowHeight) - margin)
  const last = rows.current.at(Math.ceil((from + height) / rowHeight) + margin)
  const shown = log.lines.slice(first, last + 1)

  useLayoutEffect(() => {
    const view = box.current
    if (view === null) return
    if (follow) view.scrollTop = view.scrollHeight
    else if (gone > 0) view.scrollTop = from
  })
  useLayoutEffect(() => {
    const view = box.current
    if (current === null || view === null) return
    const row = rows.current.before(current - log.first)
    view.scrollTop = Math.max(0, row * rowHeight - view.clientHeight / 2)
  }, [current])
  return (
    <div
      ref={box}
      class={`lines ${times ? 'with-times' : ''}`}
      role="log"
      aria-live="off"
      tabIndex={0}
      aria-label="Output of the task"
      data-testid="log"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        setTop(scrollTop)
        const atEnd = scrollHeight - scrollTop - clientHeight < rowHeight
        if (atEnd !== follow) setFollow(atEnd)
      }}
    >
      <div ref={probe} class="line probe" aria-hidden="true">
        {times && <time />}
        <span class="source" />
        <span class="text">{'0'.repeat(100)}</span>
      </div>
      <div class="runway" style={{ height: `${total * rowHeight}px` }}>
        <div class="window" style={{ transform: `translateY(${rows.current.before(first) * rowHeight}px)` }}>
          {shown.map((line, index) => (
            <LogLine
              key={log.first + first + index}
              line={line}
              rows={rows.current.of(first + index)}
              times={times}
              query={query}
              current={log.first + first + index === current}
            />
          ))}
        </div>
      </div>
      {log.lines.length === 0 && <p class="nothing">{children}</p>}
    </div>
  )
}

type LineProps = { line: Line; rows: number; times: boolean; query: string; current: boolean }

function LogLine({ line, rows, times, query, current }: LineProps) {
  return (
    <div
      class={`line ${line.stream} ${current ? 'current' : ''}`}
      style={{ height: `${rows * rowHeight}px` }}
    >
      {times && <time>{line.at === null ? 'unknown' : timeText(line.at)}</time>}
      <span class="source">{line.stream === 'stderr' ? 'err' : ''}</span>
      <span class="text">
        {marked(line.spans, query).map(({ text, classes, hit }, index) =>
          hit ? (
            <mark key={index}>{text}</mark>
          ) : (
            <span class={classes || undefined} key={index}>
              {text}
            </span>
          ),
        )}
      </span>
    </div>
  )
}

/** How many characters a row has, measured: it depends on the font, the width and what stands beside it. */
function useColumns(
  box: { readonly current: HTMLElement | null },
  probe: { readonly current: HTMLElement | null },
  times: boolean,
) {
  const [size, setSize] = useState({ columns: 80, height: 400 })
  useEffect(() => {
    const view = box.current
    const text = probe.current?.querySelector<HTMLElement>('.text')
    if (view === null || text === null || text === undefined) return
    const measure = (): void => {
      const { left, width } = text.getBoundingClientRect()
      const room = view.getBoundingClientRect().left + view.clientWidth - left
      const columns = Math.max(10, Math.floor(room / (width / 100) - 1))
      view.style.setProperty('--columns', String(columns))
      setSize({ columns, height: view.clientHeight })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(view)
    return () => observer.disconnect()
  }, [times])
  return size
}
