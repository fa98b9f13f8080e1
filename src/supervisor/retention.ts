import { HoldfastError } from '../errors.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import { timeOfKey } from '../task/task-id.ts'
import { Turn } from './turn.ts'

/**
 * Which ended tasks are kept. A start that failed is one of them. A task whose end nobody knows (the host was
 * restarted meanwhile) counts as ended when it was made.
 */
export interface Retention {
  /** At most so many, the newest by their end. 0 or more. Default: any number. */
  count?: number
  /** For so many milliseconds after their end. 0 or more. Default: for ever. */
  ageMs?: number
}

/** What prune() removes: ended tasks beyond these bounds, and all of them when there is no bound. */
export interface PruneOptions extends Retention {
  /** Only says what would be removed. Default false. */
  dryRun?: boolean
}

/** An ended task as retention sees it. */
export type EndedTask = {
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly endedAt: number
  destroy(): Promise<void>
}

/** Those of a supervisor's tasks that have ended and are not to be kept: see {@link tasksBeyond}. */
export function endedBeyond(tasks: ReadonlyMap<string, TaskExecutor>, bounds: Retention): EndedTask[] {
  const ended = [...tasks.values()].flatMap(task => {
    const { outcome } = task
    if (outcome === null) return []
    const endedAt = outcome.exitedAt ?? timeOfKey(task.key)
    return [{ key: task.key, endedAt, destroy: () => task.destroy() }]
  })
  return tasksBeyond(ended, bounds)
}

/** Those of the ended tasks that are not to be kept, the oldest first. Without a bound none is kept. */
export function tasksBeyond(
  ended: readonly EndedTask[],
  { count, ageMs }: Retention,
  now: number = Date.now(),
): EndedTask[] {
  const newestFirst = [...ended].sort((a, b) => b.endedAt - a.endedAt || (a.key < b.key ? 1 : -1))
  const unbounded = count === undefined && ageMs === undefined
  return newestFirst
    .filter(
      (task, index) =>
        unbounded ||
        (count !== undefined && index >= count) ||
        (ageMs !== undefined && now - task.endedAt > ageMs),
    )
    .reverse()
}

/**
 * How many are destroyed at once: most take some system calls of this thread and no more, and others have to
 * wait for all that have begun.
 */
const abreast = 4

/**
 * Removes them and says which. Rejects, when all have been tried, with an error that names those that could
 * not be.
 */
export async function removeTasks(tasks: readonly EndedTask[]): Promise<string[]> {
  const failures: { readonly key: string; readonly error: Error }[] = []
  const turn = new Turn()
  const waiting = tasks.values()
  const worker = async (): Promise<void> => {
    for (const task of waiting) {
      await task.destroy().catch((error: unknown) => failures.push({ key: task.key, error: error as Error }))
      await turn.share()
    }
  }
  await Promise.all(Array.from({ length: abreast }, worker))
  const [first] = failures
  if (first === undefined) return tasks.map(({ key }) => key)
  const { code, hint } = first.error as Partial<HoldfastError>
  throw new HoldfastError(
    code ?? 'LOST',
    `${failures.length} of ${tasks.length} ended tasks could not be removed: ${failures
      .map(({ key, error }) => `${key} (${error.message})`)
      .join('; ')}`,
    { stage: 'state', hint, cause: new AggregateError(failures.map(({ error }) => error)) },
  )
}

/**
 * Applies a supervisor's `keep` again and again: one pass at a time, and one more when something has ended
 * meanwhile.
 */
export class RetentionPasses {
  readonly #pass: () => Promise<unknown>
  #running: Promise<void> | null = null
  #again = false

  /** `pass` is one look at what there is; what it cannot remove it finds again the next time. */
  constructor(pass: () => Promise<unknown>) {
    this.#pass = pass
  }

  /** Not at once: whoever is being told of an end is told before the task goes. */
  ask(): void {
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Resolves when no pass is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#again) {
      await new Promise(resolve => setImmediate(resolve))
      this.#again = false
      await this.#pass().catch(() => {})
    }
    this.#running = null
  }
}
