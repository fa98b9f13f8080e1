import { Observable, type Subscriber } from 'rxjs'
import type { Executor, Usage } from '../api.ts'
import { HoldfastError } from '../errors.ts'

/** setTimeout's own limit, beyond which it fires at once. */
const longest = 2 ** 31 - 1

/**
 * Samples for everybody who watches tasks of one supervisor: at each tick one sweep over the tasks, in one turn of the event loop, and each task
 * is sampled once for all who watch it at that pace.
 */
export class UsageSweep {
  readonly #paces = new Map<number, Pace>()

  /** A sample now and every `intervalMs`, until the task has ended. Throws INVALID_ARGUMENT. */
  stream(task: Executor, intervalMs: number): Observable<Usage> {
    if (!(intervalMs >= 10 && intervalMs <= longest)) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `intervalMs: got ${intervalMs}, takes milliseconds, 10 to ${longest}`,
      )
    }
    return new Observable(subscriber => {
      if (task.state === 'exited') {
        subscriber.complete()
        return
      }
      // Not only at the next tick, which may be far away.
      const life = task.state$.subscribe({
        complete: () => subscriber.complete(),
        error: error => subscriber.error(error),
      })
      const pace = this.#paces.get(intervalMs) ?? new Pace(intervalMs)
      this.#paces.set(intervalMs, pace)
      pace.add(task, subscriber)
      return () => {
        life.unsubscribe()
        if (pace.remove(task, subscriber)) this.#paces.delete(intervalMs)
      }
    })
  }
}

/** All who want samples equally often. */
class Pace {
  readonly #watched = new Map<Executor, Set<Subscriber<Usage>>>()
  readonly #timer: NodeJS.Timeout
  #newcomers = new Map<Executor, Set<Subscriber<Usage>>>()
  #first: NodeJS.Timeout | null = null
  #sweeping = false

  constructor(intervalMs: number) {
    this.#timer = setInterval(() => this.#tick(), intervalMs)
  }

  add(task: Executor, subscriber: Subscriber<Usage>): void {
    enter(this.#watched, task, subscriber)
    enter(this.#newcomers, task, subscriber)
    // Those that come in the same turn are served in one.
    this.#first ??= setTimeout(() => {
      this.#first = null
      const newcomers = this.#newcomers
      this.#newcomers = new Map()
      sweep(newcomers).catch(ignore)
    }, 0)
  }

  /** True when nobody is left. */
  remove(task: Executor, subscriber: Subscriber<Usage>): boolean {
    leave(this.#watched, task, subscriber)
    leave(this.#newcomers, task, subscriber)
    if (this.#watched.size > 0) return false
    clearInterval(this.#timer)
    if (this.#first !== null) clearTimeout(this.#first)
    this.#first = null
    return true
  }

  /** A sweep that takes longer than the interval takes the place of the next. */
  #tick(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    sweep(this.#watched)
      .catch(ignore)
      .finally(() => {
        this.#sweeping = false
      })
  }
}

/** Nothing of it rejects: each subscriber is told what his own task fails with. */
const ignore = (): void => {}

type Watched = ReadonlyMap<Executor, ReadonlySet<Subscriber<Usage>>>

/** What one task fails with concerns those alone who watch it. */
async function sweep(watched: Watched): Promise<void> {
  // All are asked before any answers: they share what they look at, such as the process table.
  await Promise.all(
    [...watched].map(async ([task, subscribers]) => {
      try {
        const sample = await task.usage()
        for (const subscriber of [...subscribers]) subscriber.next(sample)
      } catch (error) {
        // Ended meanwhile: its state says so.
        if (task.state !== 'exited') for (const subscriber of [...subscribers]) subscriber.error(error)
      }
    }),
  )
}

function enter<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const values = map.get(key) ?? new Set()
  map.set(key, values.add(value))
}

function leave<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const values = map.get(key)
  values?.delete(value)
  if (values?.size === 0) map.delete(key)
}
