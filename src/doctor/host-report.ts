import type { Enforcement } from '../api.ts'
import type { HostFacts } from '../platform/host-facts.ts'
import type { HostRow } from '../platform/host-row.ts'
import type { PlatformName } from '../platform/port.ts'

export type { HostRow }

export type HostReport = Pick<HostFacts, 'mode' | 'versions'> & {
  /** What became of a `run` without options. */
  readonly defaultRun: RunReport
  /** What became of a `run --basic` without others. */
  readonly basicRun: RunReport
  /** What this host is; then what each limit and each isolation came to in a task that was really started. */
  readonly rows: readonly HostRow[]
}

/** What became of a task that was started to find out. */
export type RunReport = {
  readonly platform: PlatformName
  /** Why it was not started at all, and what would change that; null: it was. */
  readonly refused: Refusal | null
  /** Its rows, as its executor has them. Empty where its start was refused before they were decided. */
  readonly enforcement: readonly Enforcement[]
  /** Those in which it got less than is the default. Empty: nothing is weakened. */
  readonly weakened: readonly Enforcement[]
}

/** In the words of the start. */
export type Refusal = { readonly why: string; readonly hint: string | null }
