import { type Adapter, adapters, withAdapter } from './adapters.ts'
import { Bench } from './bench.ts'
import type { Check, Verdict } from './check.ts'
import { Skipped } from './expect.ts'
import { isolation } from './checks/isolation.ts'
import { limits } from './checks/limits.ts'
import { reopening } from './checks/reopening.ts'
import { results } from './checks/results.ts'
import { stopping } from './checks/stopping.ts'
import { HoldfastError } from '../index.ts'

export const checks: readonly Check[] = [...results, ...stopping, ...reopening, ...isolation, ...limits]

/** What became of one check. `why` is null when it passed. */
export type ConformanceRow = {
  readonly adapter: string
  readonly group: Check['group']
  readonly check: string
  readonly status: Verdict
  readonly why: string | null
  readonly ms: number
}

export type ConformanceReport = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly rows: readonly ConformanceRow[]
}

export type ConformanceOptions = {
  /** Told of each row as it comes. */
  readonly onRow?: (row: ConformanceRow) => void
}

/**
 * Proves on this very host, as this user, what the executors promise: with real tasks in a temporary state
 * directory, by their effects, one after the other, in a minute or so. What this host cannot enforce is
 * skipped with the reason. Never rejects for a broken promise. No other tasks may be started from this
 * process meanwhile.
 */
export async function conformance({ onRow }: ConformanceOptions = {}): Promise<ConformanceReport> {
  const rows: ConformanceRow[] = []
  for (const adapter of adapters)
    for (const check of checks) {
      const row = await runCheck(adapter, check)
      rows.push(row)
      onRow?.(row)
    }
  const count = (status: Verdict) => rows.filter(row => row.status === status).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), rows }
}

/** One check, in a state directory of its own. A check that passed and left something behind has failed. */
export async function runCheck(adapter: Adapter, check: Check): Promise<ConformanceRow> {
  const began = performance.now()
  const { status, why } = await withAdapter(adapter, () => attempt(adapter, check))
  const ms = Math.round(performance.now() - began)
  return { adapter: adapter.name, group: check.group, check: check.name, status, why, ms }
}

async function attempt(adapter: Adapter, check: Check): Promise<{ status: Verdict; why: string | null }> {
  const bench = new Bench(adapter)
  try {
    await check.run(bench)
  } catch (error) {
    await bench.dispose().catch(() => {})
    return verdictOf(error)
  }
  try {
    await bench.dispose()
  } catch (error) {
    return { status: 'failed', why: `something is left: ${(error as Error).message}` }
  }
  return { status: 'passed', why: null }
}

function verdictOf(error: unknown): { status: Verdict; why: string } {
  if (error instanceof Skipped) return { status: 'skipped', why: error.message }
  // No native program, or no Linux: said by the library itself.
  if (error instanceof HoldfastError && error.code === 'UNSUPPORTED')
    return { status: 'skipped', why: error.message }
  return { status: 'failed', why: error instanceof Error ? error.message : String(error) }
}
