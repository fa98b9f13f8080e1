import { setTimeout as sleep } from 'node:timers/promises'
import type { FileTarget } from '../spawn/spec.ts'
import { isLeased } from './log-reader.ts'
import { LogWatch } from './log-watch.ts'

/** A look all the same: inotify does not see what another kernel writes (network file systems). */
const watchedMs = 1000
/** Without a watch. */
const unwatchedMs = 50
/** A chatty log is looked at so often, not at each of its changes. */
const minMs = 5
/** The kernel's default for fs.lease-break-time is 45 s. */
const maxLeaseMs = 60_000
const leasePauseMs = 100

/** When a follower is to look again. */
export class LogChanges {
  readonly #watches = new Map<string, LogWatch>()
  #lookedAt = performance.now()
  #changed = false
  #ended = false
  #closed = false
  #wake: (() => void) | null = null

  /** Nobody has to wait any more. */
  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  /**
   * Before the look after which somebody waits, or what comes in between would be noticed late. Idempotent.
   */
  watch(target: FileTarget, onChange: () => void = () => {}): void {
    const key = `${target.base ?? ''}/${target.path}`
    if (target.path === '' || this.#closed || this.#watches.get(key)?.works) return
    this.#watches.set(
      key,
      new LogWatch(target, () => {
        this.#changed = true
        onChange()
        this.#wake?.()
      }),
    )
  }

  /** Nobody reads any more. */
  get closed(): boolean {
    return this.#closed
  }

  /** To be called before each reading. */
  readingBegins(): void {
    this.#changed = false
    this.#lookedAt = performance.now()
  }

  /** Resolves when it is time: true after a change or the end, false when time has passed. */
  async next(): Promise<boolean> {
    const watched = this.#watches.size > 0 && [...this.#watches.values()].every(({ works }) => works)
    const hasChanged = this.#isDue() || (await this.#woken(watched ? watchedMs : unwatchedMs))
    const early = this.#lookedAt + minMs - performance.now()
    if (early > 0 && !this.#ended) await this.#woken(early, () => this.#ended)
    return hasChanged
  }

  close(): void {
    this.#closed = true
    for (const watch of this.#watches.values()) watch.close()
    this.#watches.clear()
    this.#wake?.()
  }

  /**
   * The result of a look at files that somebody may hold a lease on: tried again until the kernel must have
   * taken that away.
   */
  async retryLeased<Value>(read: () => Value): Promise<Value> {
    for (const deadline = performance.now() + maxLeaseMs; ;) {
      try {
        return read()
      } catch (error) {
        if (!isLeased(error) || this.#closed || performance.now() > deadline) throw error
        await sleep(leasePauseMs)
      }
    }
  }

  #isDue(): boolean {
    return this.#changed || this.#ended || this.#closed
  }

  #woken(milliseconds: number, isDue = () => this.#isDue()): Promise<boolean> {
    return new Promise(resolve => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#wake = null
        resolve(isDue())
      }
      // Who reads holds the program as long as it means to (`held`, log-stream.ts).
      const timer = setTimeout(finish, Math.ceil(milliseconds)).unref()
      this.#wake = () => {
        if (isDue() || this.#closed) finish()
      }
    })
  }
}
