import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { useStore } from './store.ts'
import { bytesText, percentText, timeText } from './text.ts'
import type { Row } from './types.ts'

export function UsagePanel({ row }: { row: Row }) {
  const usage = useStore().usage.get(row.key)
  const latest = usage?.samples.at(-1)
  const none = usage === undefined || usage.samples.length === 0
  return (
    <section class="panel usage" aria-labelledby="usage">
      <h3 id="usage">Usage</h3>
      {none ? (
        <p class="nothing">
          {row.state === 'exited'
            ? 'It has ended; nothing was measured while this page was open.'
            : 'Waiting for a first sample …'}
        </p>
      ) : (
        <div class="plots">
          <figure>
            <figcaption>
              Processor <b>{percentText(latest?.cpu)}</b> <small>of one core</small>
            </figcaption>
            <Plot row={row} field="cpu" color="--plot-cpu" format={value => `${value} %`} />
          </figure>
          <figure>
            <figcaption>
              Memory <b>{bytesText(latest?.memory)}</b>{' '}
              <small>
                {usage.limit === null ? 'no limit' : `of ${bytesText(usage.limit)}`}
                {usage.pids === null ? '' : ` · ${usage.pids} processes`}
              </small>
            </figcaption>
            <Plot row={row} field="memory" color="--plot-memory" format={bytesText} />
          </figure>
        </div>
      )}
    </section>
  )
}

type PlotProps = { row: Row; field: 'cpu' | 'memory'; color: string; format: (value: number) => string }

const height = 130

function Plot({ row, field, color, format }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [theme, setTheme] = useState(0)
  const store = useStore()
  const samples = store.usage.get(row.key)?.samples ?? []
  useEffect(() => {
    const again = (): void => setTheme(count => count + 1)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', again)
    addEventListener('holdfast-theme', again)
    return () => {
      dark.removeEventListener('change', again)
      removeEventListener('holdfast-theme', again)
    }
  }, [])
  useEffect(() => {
    const box = place.current
    if (box === null) return
    const axis = {
      stroke: colorOf(box, '--faint'),
      grid: { stroke: colorOf(box, '--rule'), width: 1 },
      ticks: { show: false },
    }
    const chart = new uPlot(
      {
        width: Math.max(120, box.clientWidth),
        height,
        legend: { show: false },
        cursor: { y: false },
        scales: {
          // Half a minute at least: the first samples would fill the plot from edge to edge. For a single one
          // uPlot takes the day that follows it.
          x: {
            range: ({ data: [times] }, min, max) => {
              const end = times.length === 1 ? min : max
              return [Math.min(min, end - 30), end]
            },
          },
          y: { range: (_, __, max) => [0, Math.max(max * 1.15, field === 'cpu' ? 1 : 1024)] },
        },
        axes: [
          {
            ...axis,
            space: 70,
            size: 26,
            values: (_, splits) => splits.map(at => timeText(at * 1000).slice(0, 8)),
          },
          { ...axis, size: 66, space: 34, values: (_, splits) => splits.map(format) },
        ],
        series: [
          {},
          {
            stroke: colorOf(box, color),
            width: 1.75,
            fill: `${colorOf(box, color)}`.replace('rgb(', 'rgba(').replace(')', ', 0.13)'),
            spanGaps: false,
            points: { show: false },
          },
        ],
      },
      [[], []],
      box,
    )
    plot.current = chart
    const observer = new ResizeObserver(() =>
      chart.setSize({ width: Math.max(120, box.clientWidth), height }),
    )
    observer.observe(box)
    return () => {
      observer.disconnect()
      chart.destroy()
    }
  }, [row.key, field, theme])
  const newest = samples.at(-1)?.at
  useEffect(() => {
    plot.current?.setData([samples.map(({ at }) => at / 1000), samples.map(sample => sample[field])])
  }, [newest, theme, row.key])
  return <div class="plot" ref={place} role="img" aria-label={`${field} over time`} />
}

/** As a canvas takes it: what the style sheet says is a matter of the theme. */
function colorOf(box: HTMLElement, name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  box.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
