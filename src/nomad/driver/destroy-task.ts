import type { PluginState } from '../plugin-state.ts'
import { hasEnded } from '../tasks/task.ts'

/**
 * Leaves nothing of the task. One that runs is destroyed only by force; one that nobody knows is destroyed
 * already.
 */
export async function destroy(
  { table, log }: PluginState,
  { task_id, force }: { task_id: string; force: boolean },
): Promise<object> {
  const task = await table.find(task_id).catch((error: unknown) => {
    // Its state cannot be read. What there is of it can still be removed.
    log('warn', 'destroying a task that cannot be opened', { task_id, error: String(error) })
    return null
  })
  if (task !== null && !force && !hasEnded(task)) throw new Error('cannot destroy running task')
  await table.remove(task_id)
  return {}
}
