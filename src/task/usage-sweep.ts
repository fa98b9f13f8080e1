import {
  catchError,
  defer,
  EMPTY,
  endWith,
  exhaustMap,
  finalize,
  from,
  ignoreElements,
  interval,
  merge,
  type Observable,
  share,
  takeUntil,
  timer,
} from 'rxjs'
import type { Executor, Usage } from '../api.ts'
import { invalidArgument } from '../invalid-argument.ts'

/** setTimeout's own limit, beyond which it fires at once. */
const longest = 2 ** 31 - 1

/**
 * Samples for everybody who watches tasks of one supervisor: all that is wanted equally often comes of one
 * timer, in one turn of the event loop, and is taken once for all who want the same.
 */
export class UsageSweep {
  /** The next turn: those that come in the same turn are served in one. */
  readonly #turn = timer(0).pipe(share())
  readonly #paces = new Map<number, Observable<unknown>>()
  /** What each owner's streams share, by pace; at 0, the first samples of newcomers. */
  readonly #works = new WeakMap<object, Map<number, Observable<unknown>>>()

  /** A sample now and every `intervalMs`, until the task has ended. Throws INVALID_ARGUMENT. */
  stream(task: Executor, intervalMs: number): Observable<Usage> {
    const samples = this.every(task, intervalMs, () => sampleOf(task))
    return defer(() => {
      if (task.state === 'exited') return EMPTY
      // Not only at the next tick, which may be far away.
      return samples.pipe(takeUntil(task.state$.pipe(ignoreElements(), endWith(null))))
    })
  }

  /**
   * What `work` gives, now and every `intervalMs`; one that takes longer than the interval takes the place of
   * the next. Of one `owner` all share it who want it equally often. Throws INVALID_ARGUMENT.
   */
  every<Value>(owner: object, intervalMs: number, work: () => Observable<Value>): Observable<Value> {
    if (!(intervalMs >= 10 && intervalMs <= longest)) {
      throw invalidArgument('intervalMs', intervalMs, `milliseconds, 10 to ${longest}`)
    }
    return defer(() => {
      const works = this.#works.get(owner) ?? new Map<number, Observable<unknown>>()
      this.#works.set(owner, works)
      const first = shared(works, 0, () => this.#turn.pipe(exhaustMap(work)))
      const later = shared(works, intervalMs, () => this.#ticks(intervalMs).pipe(exhaustMap(work)))
      // An owner has one kind of work.
      return merge(first, later) as Observable<Value>
    })
  }

  #ticks(intervalMs: number): Observable<unknown> {
    return shared(this.#paces, intervalMs, () => interval(intervalMs))
  }
}

/** The stream of this key, made where nobody has it, and forgotten when nobody is left. */
function shared(
  streams: Map<number, Observable<unknown>>,
  key: number,
  make: () => Observable<unknown>,
): Observable<unknown> {
  const known = streams.get(key)
  if (known !== undefined) return known
  const made = make().pipe(
    finalize(() => streams.delete(key)),
    share(),
  )
  streams.set(key, made)
  return made
}

/** What one task fails with concerns those alone who watch it. */
function sampleOf(task: Executor): Observable<Usage> {
  return from(task.usage()).pipe(
    catchError((error: unknown) => {
      // Ended meanwhile: its state says so.
      if (task.state === 'exited') return EMPTY
      throw error
    }),
  )
}
