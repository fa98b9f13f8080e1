import type { Subscription } from 'rxjs'
import type { Supervisor } from '../index.ts'
import type { FoundTask } from './find-task.ts'
import type { TaskUsage } from './output/usage-table.ts'

/** Twenty-four days, the most that usage$() takes. */
const seldomMs = 2 ** 31 - 1

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
 * Samples of tasks again and again. They are watched meanwhile (once is enough, and for ever), so that what they use is read from files that stay
 * open; when is up to the caller, who wants all of them at once.
 */
export class Sampler {
  readonly #watched = new Map<string, Subscription>()

  async sample(tasks: readonly FoundTask[]): Promise<TaskUsage[]> {
    for (const { key, task } of tasks) if (!this.#watched.has(key)) this.#watch(key, task)
    return (await Promise.all(tasks.map(sample))).filter(usage => usage !== null)
  }

  end(): void {
    for (const watched of [...this.#watched.values()]) watched.unsubscribe()
  }

  #watch(key: string, task: FoundTask['task']): void {
    const watched = task.usage$(seldomMs).subscribe({ error: () => {} })
    this.#watched.set(key, watched)
    // Also when it has ended.
    watched.add(() => this.#watched.delete(key))
  }
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
