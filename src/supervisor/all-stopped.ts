import type { WaitResult } from '../api.ts'
import { HoldfastError } from '../errors.ts'

/**
 * The results of stops that go on in parallel. Waits for all of them, then rejects LOST naming those that
 * failed.
 */
export async function allStopped(stops: readonly Promise<WaitResult>[]): Promise<WaitResult[]> {
  const ends = await Promise.allSettled(stops)
  const failed = ends.flatMap(end => (end.status === 'rejected' ? [end.reason as Error] : []))
  if (failed.length > 0) {
    const reasons = failed.map(({ message }) => message).join('; ')
    throw new HoldfastError('LOST', `${failed.length} of ${ends.length} tasks did not stop: ${reasons}`, {
      stage: 'stop',
      cause: new AggregateError(failed),
    })
  }
  return ends.flatMap(end => (end.status === 'fulfilled' ? [end.value] : []))
}
