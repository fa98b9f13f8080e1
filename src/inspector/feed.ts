import { randomBytes } from 'node:crypto'

export type FeedEvent = { readonly number: number; readonly name: string; readonly data: string }

/**
 * Numbered events, of which the last ones are kept. Nothing is kept per reader: each has a position and comes
 * for more when it has got rid of what it has, so that a slow one costs no memory. One that has fallen behind
 * what is kept is told everything anew.
 */
export class Feed {
  /** Numbers of another life of the server mean nothing here. */
  readonly #life = randomBytes(6).toString('hex')
  readonly #max: number
  #kept: FeedEvent[] = []
  #last = 0
  readonly #waiting = new Set<() => void>()

  constructor(max = 2048) {
    this.#max = max
  }

  get last(): number {
    return this.#last
  }

  publish(name: string, data: unknown): void {
    this.#kept.push({ number: ++this.#last, name, data: JSON.stringify(data) })
    if (this.#kept.length > 2 * this.#max) this.#kept = this.#kept.slice(-this.#max)
    this.wake()
  }

  /** For something that is not numbered. */
  wake(): void {
    for (const waiting of [...this.#waiting]) waiting()
  }

  /** What comes after a number; null when that cannot be told any more. */
  after(number: number): readonly FeedEvent[] | null {
    if (number > this.#last) return null
    const missed = this.#last - number
    if (missed > this.#max || missed > this.#kept.length) return null
    return missed === 0 ? [] : this.#kept.slice(-missed)
  }

  id(number: number): string {
    return `${this.#life}-${number}`
  }

  /** The number of an id that was given out here; null for any other text. */
  position(id: string | undefined): number | null {
    const [, life, number] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id ?? '') ?? []
    return life === this.#life ? Number(number) : null
  }

  /** Resolves at the next event, or after so many milliseconds, or when `signal` says so. */
  more(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#waiting.add(done)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }
}
