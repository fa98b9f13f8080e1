import type { HistoryEntry } from '../../index.ts'
import { escaped } from './escape.ts'
import { type TableOptions, table } from './table.ts'
import { timeText } from './units.ts'

/** The table of `history`. Times are UTC, so that those of two hosts can be laid side by side. */
export function historyTable(entries: readonly HistoryEntry[], options: TableOptions): string {
  const rows = entries.map((entry, index) => [
    entry.sequence === null ? '-' : String(entry.sequence),
    entry.at.toISOString(),
    index === 0 ? '' : `+${since(entries[index - 1], entry)}`,
    entry.from === entry.to ? escaped(entry.to) : `${escaped(entry.from)} → ${escaped(entry.to)}`,
    escaped(entry.event),
    escaped(details(entry)),
  ])
  return table(['NO', 'TIME', 'AFTER', 'STATE', 'EVENT', 'DETAILS'], rows, options)
}

function since(before: HistoryEntry | undefined, { at }: HistoryEntry): string {
  return timeText(Math.max(0, at.getTime() - (before?.at.getTime() ?? at.getTime())))
}

function details(entry: HistoryEntry) {
  const { tookMs, cause, exitCode, signal, graceMs, oomKilled, evidence, failure } = entry
  const end = cause !== undefined && exitCode !== null && exitCode !== undefined
  return [
    ...(entry.host === undefined ? [] : destination(entry)),
    cause,
    end ? `exit code ${exitCode}` : undefined,
    signal,
    graceMs === undefined ? undefined : `grace ${timeText(graceMs)}`,
    tookMs === undefined ? undefined : `took ${tookMs.toFixed(1)} ms`,
    oomKilled && cause !== 'oom' ? 'OOM killer was at work' : undefined,
    evidence === 'inferred' ? 'inferred' : undefined,
    failure && [failure.code, failure.stage, failure.errno].filter(Boolean).join(' '),
  ]
    .filter(Boolean)
    .join(', ')
}

function destination({ host, port, allowed }: HistoryEntry) {
  return [`${allowed ? 'allowed' : 'denied'} ${host}:${port}`]
}
