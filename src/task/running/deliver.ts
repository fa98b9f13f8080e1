import { HoldfastError } from '../../errors.ts'
import { continueStopped, signalProcess } from '../../spawn/send-signal.ts'
import type { TaskParts } from '../effects/task-parts.ts'
import { signalNumber } from '../signals.ts'
import { written } from '../stop-means.ts'

/**
 * Sends a signal to the task's leader, by its shim or past it. Throws UNSUPPORTED on Windows, INVALID_STATE
 * when it has just ended.
 */
export function deliverSignal(
  { dir, records }: Pick<TaskParts, 'dir' | 'records'>,
  signal: NodeJS.Signals,
): void {
  if (process.platform === 'win32' && signal !== 'SIGKILL')
    throw new HoldfastError('UNSUPPORTED', `${signal} cannot be delivered: Windows has no signals`, {
      hint: 'shutdown() ends the standard input that feeds it; SIGKILL ends the task at once.',
    })
  const start = records.known()
  continueStopped(start?.shim)
  if (written(dir, `signal ${signalNumber(signal)}`)) return
  const leader = start?.task
  // Its FIFO may be gone where the shim is not.
  if (leader === undefined || !signalProcess(leader, signal))
    throw new HoldfastError('INVALID_STATE', `${signal} cannot be delivered: the task has just ended`)
}

/** Tells the task's terminal its size. A task that has just ended needs none any more. */
export function deliverSize({ dir }: Pick<TaskParts, 'dir'>, rows: number, columns: number): void {
  written(dir, `size ${rows} ${columns}`)
}
