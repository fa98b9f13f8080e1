import type { StartRecord } from '../../../machines/index.ts'
import { bootMs } from '../../spawn/boot-clock.ts'
import { currentBootId } from '../../spawn/process-table.ts'
import { continueStopped } from '../../spawn/send-signal.ts'
import { pauseUntil } from '../pause.ts'
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
 * The second keeper of the wall time limit. The shim keeps it, also while no supervisor lives; one that has been stopped, or whose cgroup is frozen,
 * keeps nothing. So at the limit the shim is continued, which then acts by itself, and when the grace is over too, the task is killed past it.
 */
export class WallTime {
  readonly #task: TaskParts
  readonly #limit: () => number | null
  readonly #bypass: Bypass
  #begun: AbortSignal | null = null
  #again = new AbortController()

  /** `limit`: in milliseconds, as it is now; null: none. */
  constructor(task: TaskParts, limit: () => number | null, bypass: Bypass) {
    this.#task = task
    this.#limit = limit
    this.#bypass = bypass
  }

  /** Until it is let go of: the task has ended, or is another's to watch. Not `limited`: it is known to have no limit, and is not asked. */
  begin(letGo: AbortSignal, limited = true): void {
    this.#begun = letGo
    // What cannot be kept by us is the shim's alone.
    if (limited) this.#keep(letGo).catch(() => {})
  }

  /** The limit has been changed. */
  changed(): void {
    this.#again.abort()
    if (this.#begun !== null) this.begin(this.#begun)
  }

  async #keep(letGo: AbortSignal): Promise<void> {
    this.#again = new AbortController()
    if (this.#limit() === null) return
    const stop = AbortSignal.any([letGo, this.#again.signal])
    await this.#until(() => this.#left(), stop)
    continueStopped(this.#task.records.known()?.shim)
    if (stop.aborted) return
    const { graceMs } = this.#task.file.spec.request
    await this.#until(() => this.#left() + graceMs, stop)
    if (stop.aborted) return
    const survivors = await killByAllMeans(
      stopMeans(this.#task, letGo),
      () => this.#bypass.begin('timeout'),
      'continue',
    )
    if (!letGo.aborted) this.#bypass.end(survivors)
  }

  async #until(left: () => number, stop: AbortSignal): Promise<void> {
    while (left() > 0 && !stop.aborted) {
      const began = performance.now()
      const wait = Math.min(left(), lookAgainMs)
      await pauseUntil(() => began + wait - performance.now(), stop, this.#task.services.keepAlive)
    }
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
