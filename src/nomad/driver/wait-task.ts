import type { PluginState } from '../plugin-state.ts'
import { exitError, exitResult } from '../tasks/exit-result.ts'
import type { ByTask } from '../wire/task-messages.ts'

/** Answers only when the task has ended: any other answer would be taken for its end. */
export async function wait({ table }: PluginState, { task_id }: ByTask): Promise<object> {
  const { executor } = await table.get(task_id)
  const result = await executor.wait()
  return { result: exitResult(result), err: exitError(result) }
}
