import type { PluginState } from '../plugin-state.ts'
import { encodeState } from '../tasks/handle-state.ts'
import { startTask } from '../tasks/start.ts'
import { type TaskConfig, taskState } from '../wire/task-messages.ts'
import { handleVersion } from './recover-task.ts'

/**
 * The handle has the agent's own configuration in it, unchanged: the agent keeps nothing else by which it
 * could recover the task.
 */
export async function start(
  state: PluginState,
  { task: config }: { task: TaskConfig | null },
): Promise<object> {
  if (config === null) throw new Error('StartTask without a task')
  const { table, supervisors, stateDir, log } = state
  const hasOwnRoot = () => state.hasOwnRoot()
  const context = { table, supervisors, stateDir, log, hasOwnRoot, config: state.config }
  const { task, notices } = await startTask(config, context)
  state.events.tellShortfalls(task.record, task.executor.enforcement)
  for (const { message, annotations } of notices) state.events.tell(task.record, message, annotations)
  state.events.watchEgress(task, new Date(task.record.startedAt))
  const { key, startedAt } = task.record
  return {
    handle: {
      version: handleVersion,
      config,
      state: taskState.running,
      driver_state: encodeState({ stateDir: task.stateDir, key, startedAt }),
    },
  }
}
