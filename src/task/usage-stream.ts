import { concatMap, defer, type Observable, takeWhile, timer } from 'rxjs'
import type { Executor, Usage } from '../api.ts'
import { HoldfastError } from '../errors.ts'

/** Per cent of one core between two samples; null for the first, and where CPU time is unknown. */
export function withCpuPercent(sample: Usage, previous: Usage | null): Usage {
  if (sample.cpuMs === null || previous === null || previous.cpuMs === null) return sample
  const elapsed = sample.at.getTime() - previous.at.getTime()
  if (elapsed <= 0) return { ...sample, cpuPercent: previous.cpuPercent }
  return { ...sample, cpuPercent: Math.max(0, (100 * (sample.cpuMs - previous.cpuMs)) / elapsed) }
}

/** setTimeout's own limit, beyond which it fires at once. */
const longest = 2 ** 31 - 1

/** A sample now and every `intervalMs`, until the task has ended. Throws INVALID_ARGUMENT. */
export function usageStream(task: Executor, intervalMs: number): Observable<Usage> {
  if (!(intervalMs >= 10 && intervalMs <= longest)) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `intervalMs: got ${intervalMs}, takes milliseconds, 10 to ${longest}`,
    )
  }
  return timer(0, intervalMs).pipe(
    takeWhile(() => task.state !== 'exited'),
    // Samples that take longer than the interval wait for each other; each is taken whole.
    concatMap(() => defer(() => task.usage().catch((error: unknown) => endedMeanwhile(task, error)))),
    takeWhile(sample => sample !== null),
  )
}

function endedMeanwhile(task: Executor, error: unknown): null {
  if (task.state === 'exited') return null
  throw error
}
