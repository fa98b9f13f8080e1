import type { Bench } from './bench.ts'

/**
 * One promise, proven by its effect on a real task. `run` throws when it is broken, and Skipped where this
 * host or adapter does not make it.
 */
export type Check = {
  readonly name: string
  readonly group: 'results' | 'stopping' | 'reopening' | 'isolation' | 'limits'
  readonly run: (bench: Bench) => Promise<void>
}

export type Verdict = 'passed' | 'failed' | 'skipped'
