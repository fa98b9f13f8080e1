import type { Usage } from '../../index.ts'
import type { PluginState } from '../plugin-state.ts'
import { startError } from '../wire/errors.ts'
import { streamOut } from '../wire/handlers.ts'
import type { StatsRequest } from '../wire/task-messages.ts'
import { milliseconds, timestamp } from '../wire/time.ts'

const minMs = 100
const cpuField = { totalTicks: 2, throttledTime: 4, percent: 5 } as const
const memoryField = { maxUsage: 2, usage: 5 } as const

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
      const samples = executor.usage$(intervalMs).subscribe({
        next: usage => out.send({ stats: statsOf(task_id, usage, state.coreMhz) }),
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

/**
 * What is not known is left out of the measured fields, and is 0 on the wire. Usage itself is always there:
 * without it the agent panics.
 */
export function statsOf(id: string, usage: Usage, coreMhz: number | null): object {
  const { cpuPercent, throttledMs, memoryBytes, memoryPeakBytes } = usage
  const ticks = cpuPercent === null || coreMhz === null ? null : (cpuPercent / 100) * coreMhz
  const cpu = measured([
    ['percent', cpuField.percent, cpuPercent],
    ['total_ticks', cpuField.totalTicks, ticks],
    ['throttled_time', cpuField.throttledTime, throttledMs === null ? null : Math.round(throttledMs * 1e6)],
  ])
  const memory = measured([
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

function measured(values: readonly (readonly [name: string, field: number, value: number | null])[]): object {
  const known = values.filter(([, , value]) => value !== null)
  return {
    ...Object.fromEntries(known.map(([name, , value]) => [name, value])),
    measured_fields: known.map(([, field]) => field),
  }
}
