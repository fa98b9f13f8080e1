import { concat, defer, exhaustMap, from, ignoreElements, interval, map, merge, type Observable } from 'rxjs'
import type { Supervisor } from '../index.ts'
import type { FoundTask } from './find-task.ts'
import type { TaskUsage } from './output/usage-table.ts'

const intervalMs = 1000

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

/**
 * Samples of all tasks that run, each second: those that others have started meanwhile come in with the next.
 */
export function samples$(supervisor: Supervisor): Observable<TaskUsage[]> {
  const opened = (): Observable<never> => from(supervisor.openAll()).pipe(ignoreElements())
  const later = interval(intervalMs).pipe(exhaustMap(opened))
  const samples = supervisor.usage$(intervalMs).pipe(
    map(usages =>
      [...usages].map(([key, usage]) => ({
        task: { key, name: supervisor.tasks.get(key)?.name ?? '' },
        ...usage,
      })),
    ),
  )
  return concat(defer(opened), merge(samples, later))
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
