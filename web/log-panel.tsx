import { useEffect, useRef, useState } from 'preact/hooks'
import { Screen } from './ansi.ts'
import { events, Refused } from './connection.ts'
import { bytesText } from './text.ts'
import type { Row } from './types.ts'

/** What is in the document at once. */
const shownLines = 1000

/** What the task prints. It is text and stays text: no part of it is ever markup. */
export function LogPanel({ row }: { row: Row }) {
  const [stream, setStream] = useState<'stdout' | 'stderr'>('stdout')
  const [follow, setFollow] = useState(true)
  const [, again] = useState(0)
  const screen = useRef(new Screen())
  const skipped = useRef(0)
  const box = useRef<HTMLPreElement>(null)
  const begun = row.state !== 'configured' && row.state !== 'limited'
  useEffect(() => {
    if (!begun) return
    const control = new AbortController()
    screen.current = new Screen()
    skipped.current = 0
    let asked = false
    const show = (): void => {
      if (asked) return
      asked = true
      setTimeout(() => {
        asked = false
        if (!control.signal.aborted) again(count => count + 1)
      }, 50)
    }
    show()
    void keepReading(`/api/tasks/${row.key}/logs/${stream}`, control.signal, (event, data) => {
      if (event === 'begin') screen.current = new Screen()
      else if (event === 'text') screen.current.write((JSON.parse(data) as { text: string }).text)
      else if (event === 'skipped') skipped.current += (JSON.parse(data) as { bytes: number }).bytes
      show()
    })
    return () => control.abort()
  }, [row.key, stream, begun])
  useEffect(() => {
    if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  })
  const { lines, first } = screen.current
  const from = Math.max(0, lines.length - shownLines)
  const empty = lines.length === 1 && lines[0]?.length === 0
  return (
    <section class="panel logs" aria-labelledby="logs">
      <h3 id="logs">Logs</h3>
      <div class="tools">
        <div class="tabs" role="group" aria-label="Stream">
          {(['stdout', 'stderr'] as const).map(name => (
            <button type="button" key={name} aria-pressed={stream === name} onClick={() => setStream(name)}>
              {name}
            </button>
          ))}
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={follow}
            onChange={event => setFollow(event.currentTarget.checked)}
          />{' '}
          follow
        </label>
        {skipped.current > 0 && (
          <span class="skipped">{bytesText(skipped.current)} left out: faster than this page</span>
        )}
      </div>
      <pre
        ref={box}
        tabIndex={0}
        aria-label={`${stream} of the task`}
        data-testid="log"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          const atEnd = scrollHeight - scrollTop - clientHeight < 24
          if (atEnd !== follow) setFollow(atEnd)
        }}
      >
        {empty ? (
          <span class="nothing">{begun ? 'Nothing yet.' : 'It has not started yet.'}</span>
        ) : (
          lines.slice(from).map((line, index) => (
            <div key={first + from + index}>
              {line.map(({ text, classes }, part) => (
                <span class={classes || undefined} key={part}>
                  {text}
                </span>
              ))}
            </div>
          ))
        )}
      </pre>
    </section>
  )
}

/**
 * Until it is over or nobody wants it any more. After a break it begins anew with the last lines: where it
 * was, nobody can tell.
 */
async function keepReading(
  path: string,
  signal: AbortSignal,
  each: (event: string, data: string) => void,
): Promise<void> {
  let over = false
  while (!over && !signal.aborted) {
    try {
      await events(path, { signal, opened: () => each('begin', '') }, ({ event = '', data }) => {
        over ||= event === 'end'
        each(event, data)
      })
    } catch (error) {
      if (error instanceof Refused) return
    }
    if (!over && !signal.aborted) await new Promise(resolve => setTimeout(resolve, 1000))
  }
}
