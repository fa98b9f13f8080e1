import type { PluginState } from '../plugin-state.ts'
import { decodeState } from '../tasks/handle-state.ts'
import type { TaskHandle } from '../wire/task-messages.ts'

/** 0 is of agents that were before handles had versions. */
export const handleVersion = 1

/**
 * Rejects only where nothing is known of the task any more: the agent then destroys what may be left, and
 * starts it anew.
 */
export async function recover(
  state: PluginState,
  { handle }: { handle: TaskHandle | null },
): Promise<object> {
  if (handle === null || handle.config === null) throw new Error('RecoverTask without a handle')
  if (handle.version !== handleVersion)
    throw new Error(
      `RecoverTask: got a handle of version ${handle.version}, this driver knows ${handleVersion}`,
    )
  const { table, log, events } = state
  const { id } = handle.config
  const task = await table.adopt(id, decodeState(handle.driver_state))
  const result = task.executor.state === 'exited' ? await task.executor.wait() : null
  if (result?.cause === 'lost') throw result.error ?? new Error('the end of the task is not known')
  events.watchEgress(task, new Date())
  log('info', result === null ? 'recovered a running task' : 'recovered a task that has ended', {
    task_id: id,
  })
  return {}
}
