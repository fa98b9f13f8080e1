import type { HistoryEntry } from '../src/api.ts'
import type { End } from '../src/inspector/end.ts'
import type { Row } from '../src/inspector/row.ts'

export type { Element as DrawingElement } from '../src/graph/drawing.ts'
export type { ChangeList, ChangePatch, ChangePatches, ChangeRow } from '../src/inspector/changes.ts'
export type { End } from '../src/inspector/end.ts'
export type { LogPiece } from '../src/inspector/log-feed.ts'
export type { Row } from '../src/inspector/row.ts'
export type { UsageSample } from '../src/inspector/watcher.ts'

/** As it comes: times are text in JSON. */
export type Entry = Omit<HistoryEntry, 'at'> & { readonly at: string }

export type EnforcementRow = {
  readonly name: string
  readonly kind: 'limit' | 'isolation'
  readonly requested: string
  readonly status: 'enforced' | 'weakened' | 'skipped'
  readonly reason: string | null
  readonly hint: string | null
  readonly chosen: boolean
}

export type Details = {
  readonly row: Row
  readonly enforcement: readonly EnforcementRow[]
  readonly usage: {
    readonly cpuUserMs: number
    readonly cpuSystemMs: number
    readonly maxRssBytes: number
    readonly memoryPeakBytes: number | null
    readonly memoryLimitBytes: number | null
  } | null
  /** Null: it goes on. */
  readonly end: End | null
  /** What it changes in its workspace is kept apart. */
  readonly hasOverlay: boolean
}
