import type { PluginState } from '../plugin-state.ts'
import { exitResult, noResult } from '../tasks/exit-result.ts'
import { hasEnded, type Task } from '../tasks/task.ts'
import { type ByTask, taskState } from '../wire/task-messages.ts'
import { never, timestamp } from '../wire/time.ts'

export async function inspect({ table }: PluginState, { task_id }: ByTask): Promise<object> {
  const task = await table.get(task_id)
  return { task: await taskStatus(task), driver: { attributes: attributesOf(task) } }
}

/**
 * Each of its parts is always there: Nomad's client does not look before it takes a result or a time out of
 * its message, and without one the whole agent panics.
 */
export async function taskStatus(task: Task): Promise<object> {
  const { id, name, startedAt } = task.record
  const result = hasEnded(task) ? await task.executor.wait() : null
  return {
    id,
    name,
    state: result === null ? taskState.running : taskState.exited,
    started_at: timestamp(result?.startedAt ?? new Date(startedAt)),
    completed_at: result === null ? never : timestamp(result.exitedAt ?? new Date()),
    result: result === null ? noResult : exitResult(result),
  }
}

/** By which an operator finds the task on the node, with `holdfast --state-dir`. */
function attributesOf({ record, stateDir, executor }: Task): Record<string, string> {
  return { holdfast_task: record.key, holdfast_state_dir: stateDir, state: executor.state }
}
