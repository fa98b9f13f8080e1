import {
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  merge,
  type Observable,
  of,
  Subject,
  switchMap,
  takeUntil,
  tap,
} from 'rxjs'
import type { StartRecord } from '../../../machines/index.ts'
import { bootMs } from '../../spawn/boot-clock.ts'
import { currentBootId } from '../../spawn/process-table.ts'
import { continueStopped } from '../../spawn/send-signal.ts'
import { aborted, deadline } from '../deadline.ts'
import type { LetGo } from '../let-go.ts'
import { killByAllMeans } from '../stop-means.ts'
import type { Bypass } from './bypass.ts'
import { stopMeans } from './means.ts'
import type { TaskParts } from './task-parts.ts'

/** Milliseconds that the shim is given to have acted by itself. */
const lateMs = 1000
/** Another program may have changed the limit: so often it is looked at again. */
const lookAgainMs = 60_000
/** USER_HZ, the kernel's unit for start times, is 100 wherever we run. */
const tickMs = 10

/**
 * The second keeper of the wall time limit. The shim keeps it, also while no supervisor lives; one that has
 * been stopped, or whose cgroup is frozen, keeps nothing. So at the limit the shim is continued, which then
 * acts by itself, and when the grace is over too, the task is killed past it.
 */
export class WallTime {
  readonly #task: TaskParts
  readonly #limit: () => number | null
  readonly #bypass: Bypass
  readonly #changed = new Subject<void>()
  /** Until when a limit that there is not yet is waited for. */
  #unlimited: LetGo | null = null

  /** `limit`: in milliseconds, as it is now; null: none. */
  constructor(task: TaskParts, limit: () => number | null, bypass: Bypass) {
    this.#task = task
    this.#limit = limit
    this.#bypass = bypass
  }

  /**
   * Until it is let go of: the task has ended, or is another's to watch. Not `limited`: it is known to have
   * no limit, and is not asked.
   */
  begin(letGo: LetGo, limited = true): void {
    if (limited) this.#watch(letGo.signal)
    else this.#unlimited = letGo
  }

  /** The limit has been changed. */
  changed(): void {
    const letGo = this.#unlimited
    this.#unlimited = null
    if (letGo === null) this.#changed.next()
    else if (!letGo.aborted) this.#watch(letGo.signal)
  }

  #watch(letGo: AbortSignal): void {
    merge(of(undefined), this.#changed)
      .pipe(
        switchMap(() => this.#keep(letGo)),
        takeUntil(aborted(letGo)),
      )
      .subscribe()
  }

  /** What cannot be kept by us is the shim's alone. */
  #keep(letGo: AbortSignal): Observable<void> {
    return defer(() => {
      if (this.#limit() === null) return EMPTY
      const { graceMs } = this.#task.file.spec.request
      const continued = this.#over(0).pipe(tap(() => continueStopped(this.#task.records.known()?.shim)))
      return concat(continued, this.#over(graceMs).pipe(exhaustMap(() => this.#kill(letGo))))
    }).pipe(catchError(() => EMPTY))
  }

  /** The limit is over, and so many milliseconds more. */
  #over(graceMs: number): Observable<void> {
    return deadline(() => this.#left() + graceMs, this.#task.services.keepAlive, lookAgainMs)
  }

  async #kill(letGo: AbortSignal): Promise<void> {
    const means = stopMeans(this.#task, letGo)
    const survivors = await killByAllMeans(means, () => this.#bypass.begin('timeout'), 'continue')
    if (!letGo.aborted) this.#bypass.end(survivors)
  }

  /** From the start of the task's process on, by the clock that it is recorded in, which nobody sets. */
  #left(): number {
    const start = this.#task.records.known()
    const limit = this.#limit()
    if (limit === null || !isOfThisBoot(start)) return lookAgainMs
    return start.task.startTime * tickMs + limit + lateMs - bootMs()
  }
}

function isOfThisBoot(start: StartRecord | null): start is StartRecord {
  return start !== null && start.bootId !== '' && start.bootId === currentBootId()
}
