import type { Executor, WaitResult } from '../index.ts'

/** How a task ended, beside what its row says of it. */
export type End = Pick<WaitResult, 'signal' | 'coreDumped' | 'limitsHit' | 'logsComplete'> & {
  /** The most that was measured of it while somebody looked on, bytes. */
  readonly memoryPeakBytes: number | null
}

/** Null: it goes on. */
export async function endOf(task: Executor, memoryPeakBytes: number | null): Promise<End | null> {
  if (task.state !== 'exited') return null
  const { signal, coreDumped, limitsHit, logsComplete } = await task.wait()
  return { signal, coreDumped, limitsHit, logsComplete, memoryPeakBytes }
}
