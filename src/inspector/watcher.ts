import type { Subscription } from 'rxjs'
import type { Executor, Supervisor } from '../index.ts'
import type { Feed } from './feed.ts'
import { type Row, rowOf } from './row.ts'

/** Key, CPU time so far, memory, its limit, processes. What is not known is null. */
export type UsageRow = readonly [string, number | null, number | null, number | null, number | null]
export type UsageSample = { readonly at: number; readonly rows: readonly UsageRow[] }

const lookMs = 500
const sampleMs = 1000
/** The most that usage$() takes: samples are taken by this file, of all tasks at once. */
const seldomMs = 2 ** 31 - 1

/**
 * Puts into the feed what happens to the tasks of a supervisor. It listens to the journal, which nobody takes for having been told, and looks at
 * the list now and then for what comes and goes without a change of state.
 */
export class Watcher {
  readonly #supervisor: Supervisor
  readonly #feed: Feed
  readonly #showArguments: boolean
  readonly #known = new Map<string, string>()
  readonly #ends: (() => void)[]
  #sample: UsageSample = { at: 0, rows: [] }
  #sampling = false
  readonly #watched = new Map<string, Subscription>()
  /** How many look on: for nobody nothing is sampled. */
  readers = 0

  constructor(supervisor: Supervisor, feed: Feed, showArguments: boolean) {
    this.#supervisor = supervisor
    this.#feed = feed
    this.#showArguments = showArguments
    const journal = supervisor.journal$.subscribe(({ task: { key }, ...entry }) => {
      // The first entries come just before the task is in the list.
      queueMicrotask(() => {
        const task = supervisor.tasks.get(key)
        if (task === undefined) return
        const row = this.#row(task)
        this.#known.set(key, JSON.stringify(row))
        feed.publish('change', { key, entry, row })
      })
    })
    const timers = [
      setInterval(() => this.#look(), lookMs),
      setInterval(() => {
        this.#measure().catch(() => {})
      }, sampleMs),
    ]
    for (const timer of timers) timer.unref()
    this.#ends = [() => journal.unsubscribe(), ...timers.map(timer => () => clearInterval(timer))]
    this.#look()
  }

  /** All tasks, the newest first. */
  rows(): Row[] {
    return [...this.#supervisor.tasks.values()].map(task => this.#row(task)).reverse()
  }

  get sample(): UsageSample {
    return this.#sample
  }

  close(): void {
    for (const end of this.#ends) end()
    this.#unwatch()
  }

  #row(task: Executor): Row {
    return rowOf(task, this.#showArguments)
  }

  #look(): void {
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
      this.#feed.publish('gone', { key })
    }
  }

  async #measure(): Promise<void> {
    if (this.readers === 0) this.#unwatch()
    if (this.readers === 0 || this.#sampling) return
    this.#sampling = true
    try {
      this.#sample = { at: Date.now(), rows: await this.#usages() }
    } finally {
      this.#sampling = false
    }
    this.#feed.wake()
  }

  async #usages(): Promise<UsageRow[]> {
    const running = [...this.#supervisor.tasks].filter(
      ([, { state }]) => state === 'running' || state === 'stopping',
    )
    for (const [key, task] of running) if (!this.#watched.has(key)) this.#watch(key, task)
    const rows = await Promise.all(
      running.map(async ([key, task]): Promise<UsageRow | null> => {
        // One that has ended meanwhile.
        const usage = await task.usage().catch(() => null)
        return usage && [key, usage.cpuMs, usage.memoryBytes, usage.memoryLimitBytes, usage.pids]
      }),
    )
    return rows.filter(row => row !== null)
  }

  /** What is watched, however seldom, is sampled from files that stay open. */
  #watch(key: string, task: Executor): void {
    const watched = task.usage$(seldomMs).subscribe({ error: () => {} })
    this.#watched.set(key, watched)
    // Also when it has ended.
    watched.add(() => this.#watched.delete(key))
  }

  #unwatch(): void {
    for (const watched of [...this.#watched.values()]) watched.unsubscribe()
  }
}
