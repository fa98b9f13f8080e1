import type { Socket } from 'node:net'

/**
 * The way by which this program feeds a task's standard input. The kernel ends it however this process ends,
 * and the task reads to the end.
 */
export interface Feed {
  /** The task has its own end: ours, or null when the task has closed it already. */
  begin(): Socket | null
  /** Lets go, whether it has begun or not. Idempotent. */
  end(): void
}
