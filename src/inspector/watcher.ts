import { map, type Observable, share, tap } from 'rxjs'
import type { Executor, Supervisor, TasksUsage } from '../index.ts'
import type { Feed } from './feed.ts'
import { type Row, rowOf } from './row.ts'

/** Key, CPU time so far, memory, its limit, processes. What is not known is null. */
type UsageRow = readonly [string, number | null, number | null, number | null, number | null]
export type UsageSample = { readonly at: number; readonly rows: readonly UsageRow[] }

const pollMs = 500
const sampleMs = 1000

/**
 * Puts into the feed what happens to the tasks of a supervisor. It listens to the journal, which nobody takes
 * for having been told, and looks at the list now and then for what comes and goes without a change of state.
 */
export class Watcher {
  readonly #supervisor: Supervisor
  readonly #feed: Feed
  readonly #showArguments: boolean
  readonly #known = new Map<string, string>()
  readonly #ends: (() => void)[]
  #sample: UsageSample = { at: 0, rows: [] }
  /** Bytes, by key. */
  readonly #memoryPeaks = new Map<string, number>()
  /** To be subscribed to for as long as somebody looks on: for nobody nothing is sampled. */
  readonly samples$: Observable<UsageSample>

  constructor(supervisor: Supervisor, feed: Feed, showArguments: boolean) {
    this.#supervisor = supervisor
    this.#feed = feed
    this.#showArguments = showArguments
    const journal = supervisor.journal$.subscribe(({ task: { key }, ...entry }) => {
      // A task makes as many as it likes, and all else would be pushed out of the feed by them.
      if (entry.event === 'EGRESS') return
      // The first entries come just before the task is in the list.
      queueMicrotask(() => {
        const task = supervisor.tasks.get(key)
        if (task === undefined) return
        const row = this.#row(task)
        this.#known.set(key, JSON.stringify(row))
        feed.publish('change', { key, entry, row })
      })
    })
    const timer = setInterval(() => this.#publishChanged(), pollMs)
    timer.unref()
    this.#ends = [() => journal.unsubscribe(), () => clearInterval(timer)]
    this.samples$ = supervisor.usage$(sampleMs).pipe(
      tap(usages => this.#notePeaks(usages)),
      map(sampleOf),
      tap(sample => {
        this.#sample = sample
        feed.wake()
      }),
      share(),
    )
    this.#publishChanged()
  }

  /** All tasks, the newest first. */
  rows(): Row[] {
    return [...this.#supervisor.tasks.values()].map(task => this.#row(task)).reverse()
  }

  get sample(): UsageSample {
    return this.#sample
  }

  /** The most memory that was measured of a task, bytes; null: nothing was. */
  memoryPeak(key: string): number | null {
    return this.#memoryPeaks.get(key) ?? null
  }

  close(): void {
    for (const end of this.#ends) end()
  }

  #row(task: Executor): Row {
    return rowOf(task, this.#showArguments)
  }

  #notePeaks(usages: TasksUsage): void {
    for (const [key, { memoryPeakBytes, memoryBytes }] of usages) {
      const peak = Math.max(memoryPeakBytes ?? 0, memoryBytes ?? 0, this.#memoryPeaks.get(key) ?? 0)
      if (peak > 0) this.#memoryPeaks.set(key, peak)
    }
  }

  #publishChanged(): void {
    const { tasks } = this.#supervisor
    for (const [key, task] of tasks) {
      // An ended one changes no more: thousands of them cost a look at the state.
      if (task.state === 'exited' && this.#known.get(key)?.includes('"state":"exited"')) continue
      const row = this.#row(task)
      const text = JSON.stringify(row)
      if (this.#known.get(key) === text) continue
      this.#known.set(key, text)
      this.#feed.publish('task', row)
    }
    for (const key of this.#known.keys()) {
      if (tasks.has(key)) continue
      this.#known.delete(key)
      this.#memoryPeaks.delete(key)
      this.#feed.publish('gone', { key })
    }
  }
}

function sampleOf(usages: TasksUsage): UsageSample {
  const rows = [...usages].map(([key, { cpuMs, memoryBytes, memoryLimitBytes, pids }]): UsageRow => {
    return [key, cpuMs, memoryBytes, memoryLimitBytes, pids]
  })
  return { at: Date.now(), rows }
}
