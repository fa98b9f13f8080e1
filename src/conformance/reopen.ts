import type { Executor } from '../index.ts'
import type { Bench } from './bench.ts'

/** Opened by a supervisor that has never seen the task. */
export function openIdIn(bench: Bench, id: string): Promise<Executor> {
  return bench.supervisor().open(id)
}
