import { useEffect, useRef, useState } from 'preact/hooks'
import { ChangesPanel } from './changes-panel.tsx'
import { ChartPanel } from './chart-panel.tsx'
import { labelsOf } from './choice.ts'
import { Confirm } from './confirm.tsx'
import { getJson, post } from './connection.ts'
import { CopyLink } from './copy-link.tsx'
import { EndPanel } from './end-panel.tsx'
import { failureText } from './end-text.ts'
import { EnforcementPanel } from './enforcement.tsx'
import { ending, tone } from './ending.ts'
import { LogPanel } from './log-panel.tsx'
import { UsagePanel } from './usage-panel.tsx'
import { durationText, timeText, visible } from './text.ts'
import type { Details, Row } from './types.ts'

type Props = {
  row: Row
  back: () => void
  /** Above 0: the keyboard goes there, each time that it changes. */
  entered: number
}

export function TaskView({ row, back, entered }: Props) {
  const [details, setDetails] = useState<Details | null>(null)
  const [asking, ask] = useState<'stop' | 'kill' | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const control = new AbortController()
    getJson<Details>(`/api/tasks/${row.key}`, control.signal).then(setDetails, () => {})
    return () => control.abort()
  }, [row.key, row.state])
  useEffect(() => {
    if (entered > 0) heading.current?.focus()
  }, [entered])
  const up = row.state === 'running' || row.state === 'stopping' || row.state === 'limited'
  const act = async (way: 'stop' | 'kill'): Promise<void> => {
    ask(null)
    setProblem(null)
    await post(`/api/tasks/${row.key}/${way}`, {}).catch((error: Error) => setProblem(error.message))
  }
  return (
    <article
      onKeyDown={event => {
        if (event.key === 'Escape' && event.target === heading.current) back()
      }}
    >
      <header class="head">
        <button type="button" class="quiet back" onClick={back}>
          ← Tasks
        </button>
        <div class="title">
          <h2 ref={heading} data-testid="name" tabIndex={-1}>
            {visible(row.name)}
          </h2>
          <span class={`badge ${row.state} ${tone(row)}`} data-testid="state" role="status">
            {row.state}
            {row.state === 'exited' && ` · ${ending(row)}`}
          </span>
        </div>
        <div class="actions">
          <CopyLink task={row.key} />
          <button type="button" onClick={() => ask('stop')} disabled={!up}>
            Stop …
          </button>
          <button type="button" class="danger" onClick={() => ask('kill')} disabled={!up}>
            Kill …
          </button>
        </div>
      </header>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {row.state === 'exited' && <EndPanel row={row} details={details} />}
      <Facts row={row} details={details} />
      <LogPanel row={row} />
      <ChartPanel row={row} />
      {details?.hasOverlay === true && <ChangesPanel row={row} />}
      <UsagePanel row={row} />
      <EnforcementPanel rows={details?.enforcement ?? null} />
      {asking !== null && (
        <Confirm
          title={asking === 'stop' ? `Stop ${visible(row.name)}?` : `Kill ${visible(row.name)}?`}
          text={
            asking === 'stop'
              ? 'It is asked to end by its stop signal. What is left when its grace time is over is killed.'
              : 'The whole process tree is killed at once. What it has not saved is lost.'
          }
          action={asking === 'stop' ? 'Stop it' : 'Kill it'}
          danger={asking === 'kill'}
          yes={() => void act(asking)}
          no={() => ask(null)}
        />
      )}
    </article>
  )
}

function Facts({ row, details }: { row: Row; details: Details | null }) {
  const { failure, startedAt, exitedAt } = row
  const more = row.argumentCount === 1 ? ' + 1 argument' : ` + ${row.argumentCount} arguments`
  const facts: [string, string | null][] = [
    ['Key', row.key],
    [
      'Program',
      visible([row.program, ...(row.arguments ?? [])].join(' ')) +
        (row.arguments || row.argumentCount === 0 ? '' : more),
    ],
    ['Process', row.pid === null ? null : String(row.pid)],
    ['Started', startedAt === null ? null : new Date(startedAt).toLocaleString()],
    ['Ended', exitedAt === null ? null : new Date(exitedAt).toLocaleString()],
    ['Lasted', startedAt === null || exitedAt === null ? null : durationText(exitedAt - startedAt)],
    ['Labels', Object.keys(row.labels).length === 0 ? null : visible(labelsOf(row).join(' '))],
    ['Killed at', row.killAt === null ? null : `${timeText(row.killAt)}, if it has not ended by then`],
    ['Processor', details?.usage ? durationText(details.usage.cpuUserMs + details.usage.cpuSystemMs) : null],
    ['Failure', row.state === 'exited' || failure === null ? null : failureText(failure)],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
