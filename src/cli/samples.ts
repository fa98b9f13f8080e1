import type { Supervisor } from '../index.ts'
import type { FoundTask } from './find-task.ts'
import type { TaskUsage } from './output/usage-table.ts'

/** The tasks that run now, those among them that others have started meanwhile. */
export async function running(supervisor: Supervisor): Promise<FoundTask[]> {
  await supervisor.openAll()
  return [...supervisor.tasks]
    .filter(([, task]) => isUp(task.state))
    .map(([key, task]) => ({ key, name: task.name, task }))
}

export function isUp(state: string): boolean {
  return state === 'running' || state === 'stopping'
}

/** Null for one that has ended meanwhile. */
export async function sample({ key, name, task }: FoundTask): Promise<TaskUsage | null> {
  try {
    return { task: { key, name }, ...(await task.usage()) }
  } catch (error) {
    if (task.state === 'exited') return null
    throw error
  }
}
