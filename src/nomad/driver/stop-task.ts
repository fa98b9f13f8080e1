import type { PluginState } from '../plugin-state.ts'
import { hasEnded } from '../tasks/task.ts'
import { parseSignal } from '../tasks/signals.ts'
import type { StopTask } from '../wire/task-messages.ts'
import { milliseconds } from '../wire/time.ts'

/** As Nomad's own drivers have it, where the job names none. */
const defaultSignal = 'SIGINT'

/**
 * The signal goes to the program alone, which so can drain its workers, unless the job says otherwise; what
 * is left at the timeout is killed, all of it. Resolves when nothing of the task is left. What is not there
 * needs no stopping: an error would only make the agent ask again, five times. Without a timeout the task is
 * killed at once.
 */
export async function stop({ table }: PluginState, { task_id, timeout, signal }: StopTask): Promise<object> {
  const task = await table.find(task_id)
  if (task === null || hasEnded(task)) return {}
  const graceMs = milliseconds(timeout) ?? 0
  const named = parseSignal(signal || defaultSignal)
  const target = task.record.stopTarget ?? 'leader'
  if (graceMs > 0) await task.executor.shutdown({ signal: named, graceMs, target })
  else await task.executor.forceStop()
  return {}
}
