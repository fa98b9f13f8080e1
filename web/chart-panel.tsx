import { useEffect, useMemo, useState } from 'preact/hooks'
import { Chart } from './chart.tsx'
import { getJson } from './connection.ts'
import { useStore } from './store.ts'
import { durationText, timeText } from './text.ts'
import type { Entry, Row } from './types.ts'

/** How long a step of the replay is shown: as long as it took, within what one can follow. */
const shortestMs = 500
const longestMs = 1600

/** The state chart and the task's journal as a time line: live, or at a moment that was chosen. */
export function ChartPanel({ row }: { row: Row }) {
  const store = useStore()
  const [history, setHistory] = useState<readonly Entry[]>([])
  /** Null: as it is now. */
  const [moment, setMoment] = useState<number | null>(null)
  const [playing, setPlaying] = useState(false)
  const entryCount = store.entries.get(row.key)?.length ?? 0
  useEffect(() => {
    const control = new AbortController()
    getJson<Entry[]>(`/api/tasks/${row.key}/history`, control.signal).then(setHistory, () => {})
    return () => control.abort()
  }, [row.key, row.state, entryCount])

  const last = history.length - 1
  const at = moment === null ? last : Math.min(moment, last)
  useEffect(() => {
    if (!playing) return
    if (at >= last) {
      setPlaying(false)
      return
    }
    const now = history[at]
    const next = history[at + 1]
    const gap = now && next ? Date.parse(next.at) - Date.parse(now.at) : 0
    const wait = Math.min(longestMs, Math.max(shortestMs, gap))
    const timer = setTimeout(() => setMoment(at + 1), wait)
    return () => clearTimeout(timer)
  }, [playing, at, last, history])

  const taken = useMemo(() => history.slice(0, at + 1), [history, at])
  const entry = history[at]
  const lit = moment === null ? row.state : (entry?.to ?? 'configured')
  const go = (to: number): void => {
    setPlaying(false)
    setMoment(Math.max(0, Math.min(last, to)))
  }
  const play = (): void => {
    if (!playing && at >= last) setMoment(0)
    else setMoment(at)
    setPlaying(!playing)
  }
  return (
    <section class="panel chart-panel" aria-labelledby="life">
      <h3 id="life">Life</h3>
      <Chart lit={lit} taken={taken} />
      <div class="time">
        <div class="player" role="group" aria-label="Replay">
          <button
            type="button"
            onClick={play}
            aria-label={playing ? 'Pause' : 'Play from the start'}
            disabled={last < 1}
          >
            {playing ? '❚❚' : '▶'}
          </button>
          <button type="button" onClick={() => go(at - 1)} disabled={at <= 0} aria-label="One step back">
            ‹
          </button>
          <button type="button" onClick={() => go(at + 1)} disabled={at >= last} aria-label="One step on">
            ›
          </button>
          <input
            type="range"
            min={0}
            max={Math.max(0, last)}
            value={Math.max(0, at)}
            disabled={last < 1}
            aria-label="Moment"
            aria-valuetext={
              entry === undefined ? undefined : `${timeText(entry.at)}, ${entry.event}, ${entry.to}`
            }
            onInput={event => go(Number(event.currentTarget.value))}
          />
          <button
            type="button"
            class="quiet"
            onClick={() => {
              setPlaying(false)
              setMoment(null)
            }}
            disabled={moment === null}
          >
            Now
          </button>
        </div>
        <ol class="entries">
          {history.map((each, index) => (
            <li key={index}>
              <button
                type="button"
                class={`entry ${index > at ? 'later' : ''}`}
                aria-current={index === at ? 'step' : undefined}
                onClick={() => go(index)}
              >
                <time dateTime={each.at}>{timeText(each.at)}</time>
                <span class="event">{each.event}</span>
                <span class="to">{each.from === each.to ? '' : `→ ${each.to}`}</span>
                <span class="more">{remark(each, history[index - 1])}</span>
              </button>
            </li>
          ))}
        </ol>
      </div>
    </section>
  )
}

function remark(entry: Entry, before: Entry | undefined): string {
  const { signal, graceMs, cause, exitCode, tookMs, failure } = entry
  const since = before === undefined ? null : Date.parse(entry.at) - Date.parse(before.at)
  return [
    since === null || since < 0 ? null : `after ${durationText(since)}`,
    tookMs === undefined ? null : `took ${tookMs.toFixed(1)} ms`,
    cause,
    exitCode === undefined || exitCode === null ? null : `exit code ${exitCode}`,
    signal,
    graceMs === undefined ? null : `grace ${durationText(graceMs)}`,
    failure && [failure.code, failure.stage, failure.errno].filter(Boolean).join(' '),
  ]
    .filter(Boolean)
    .join(' · ')
}
