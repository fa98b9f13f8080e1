import { concatMap, type Observable } from 'rxjs'
import type { Executor, Usage, UsageDetail } from '../../index.ts'
import type { PluginState } from '../plugin-state.ts'
import { startError } from '../wire/errors.ts'
import { streamOut } from '../wire/handlers.ts'
import type { StatsRequest } from '../wire/task-messages.ts'
import { milliseconds, timestamp } from '../wire/time.ts'

const minMs = 100
/** CPUUsage.Fields and MemoryUsage.Fields. */
const cpuField = {
  systemMode: 0,
  userMode: 1,
  totalTicks: 2,
  throttledPeriods: 3,
  throttledTime: 4,
  percent: 5,
} as const
const memoryField = { rss: 0, cache: 1, maxUsage: 2, kernelUsage: 3, usage: 5, swap: 6 } as const

/** One sample with its parts; `before` are the parts of the last one. */
export type TaskSample = {
  readonly usage: Usage
  readonly detail: UsageDetail | null
  readonly before: UsageDetail | null
}

/**
 * A sample at each interval until the task has ended. Then the stream ends in order: an error would fill the
 * agent's log.
 */
export function taskStats(state: PluginState) {
  return streamOut(({ task_id, collection_interval }: StatsRequest, out) => {
    const intervalMs = Math.max(minMs, Math.round(milliseconds(collection_interval) ?? 1000))
    let stop = () => {}
    let over = false
    state.table.get(task_id).then(({ executor }) => {
      if (over) return
      const samples = samplesOf(executor, intervalMs).subscribe({
        next: sample => out.send({ stats: statsOf(task_id, sample, state.coreMhz) }),
        complete: () => out.end(),
        error: error => out.fail(error),
      })
      stop = () => samples.unsubscribe()
    }, out.fail)
    return () => {
      over = true
      stop()
    }
  }, startError)
}

function samplesOf(executor: Executor, intervalMs: number): Observable<TaskSample> {
  let before: UsageDetail | null = null
  return executor.usage$(intervalMs).pipe(
    concatMap(async usage => {
      // It may have ended since.
      const detail = await executor.usageDetail().catch(() => null)
      const sample = { usage, detail, before }
      before = detail
      return sample
    }),
  )
}

/**
 * What is not known is left out of the measured fields, and is 0 on the wire. Usage itself is always there:
 * without it the agent panics. Per cent of one processor, and its megahertz, as Nomad's own drivers have it.
 */
export function statsOf(id: string, { usage, detail, before }: TaskSample, coreMhz: number | null): object {
  const { cpuPercent, throttledMs, memoryBytes, memoryPeakBytes } = usage
  const ticks = cpuPercent === null || coreMhz === null ? null : (cpuPercent / 100) * coreMhz
  const cpu = measured([
    ['system_mode', cpuField.systemMode, percentOf('cpuSystemMs', detail, before)],
    ['user_mode', cpuField.userMode, percentOf('cpuUserMs', detail, before)],
    ['percent', cpuField.percent, cpuPercent],
    ['total_ticks', cpuField.totalTicks, ticks],
    ['throttled_periods', cpuField.throttledPeriods, detail?.throttledPeriods ?? null],
    ['throttled_time', cpuField.throttledTime, throttledMs === null ? null : Math.round(throttledMs * 1e6)],
  ])
  const memory = measured([
    ['rss', memoryField.rss, detail?.anonBytes ?? null],
    ['cache', memoryField.cache, detail?.fileBytes ?? null],
    ['swap', memoryField.swap, detail?.swapBytes ?? null],
    ['kernel_usage', memoryField.kernelUsage, detail?.kernelBytes ?? null],
    ['usage', memoryField.usage, memoryBytes],
    ['max_usage', memoryField.maxUsage, memoryPeakBytes],
  ])
  return {
    id,
    timestamp: timestamp(usage.at),
    agg_resource_usage: { cpu, memory },
    resource_usage_by_pid: {},
  }
}

function percentOf(
  field: 'cpuSystemMs' | 'cpuUserMs',
  now: UsageDetail | null,
  before: UsageDetail | null,
): number | null {
  const [last, first] = [now?.[field] ?? null, before?.[field] ?? null]
  if (now === null || before === null || last === null || first === null) return null
  const elapsedMs = now.at.getTime() - before.at.getTime()
  return elapsedMs <= 0 ? null : (Math.max(0, last - first) / elapsedMs) * 100
}

function measured(values: readonly (readonly [name: string, field: number, value: number | null])[]): object {
  const known = values.filter(([, , value]) => value !== null)
  return {
    ...Object.fromEntries(known.map(([name, , value]) => [name, value])),
    measured_fields: known.map(([, field]) => field),
  }
}
