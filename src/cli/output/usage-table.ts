import type { Usage } from '../../index.ts'
import { escaped } from './escape.ts'
import { type TableOptions, table } from './table.ts'
import { bytesText, timeText } from './units.ts'

export type TaskUsage = { readonly task: { readonly key: string; readonly name: string } } & Usage

export function usageTable(samples: readonly TaskUsage[], options: TableOptions): string {
  return table(
    ['KEY', 'NAME', 'CPU', 'THROTTLED', 'MEMORY', 'LIMIT', 'PEAK', 'PIDS', 'READ', 'WRITTEN'],
    samples.map(({ task, ...usage }) => [
      task.key,
      escaped(task.name),
      timeText(usage.cpuMs),
      timeText(usage.throttledMs),
      bytesText(usage.memoryBytes),
      bytesText(usage.memoryLimitBytes),
      bytesText(usage.memoryPeakBytes),
      usage.pids === null ? '-' : String(usage.pids),
      bytesText(usage.ioReadBytes),
      bytesText(usage.ioWriteBytes),
    ]),
    options,
  )
}
