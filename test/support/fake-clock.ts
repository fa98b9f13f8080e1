type Timer = {
  readonly call: () => void
  readonly everyMs: number | null
  at: number
  ref(): Timer
  unref(): Timer
  hasRef(): boolean
}

const begin = 1_800_000_000_000
const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'] as const

/**
 * Time that passes only when it is told to: `setTimeout`, `setInterval`, `Date.now` and `performance.now` of
 * this process, from its making until `restore()`. `setImmediate` calls at once. What `node:timers/promises`
 * gives is not of this clock. Node's own mock.timers warns that it is experimental.
 */
export class FakeClock {
  readonly #real = Object.fromEntries(names.map(name => [name, globalThis[name]]))
  readonly #realNow = Date.now
  readonly #timers = new Set<Timer>()
  #now = begin

  constructor() {
    const clear = (timer: unknown): void => {
      this.#timers.delete(timer as Timer)
    }
    const fakes = {
      setTimeout: (call: () => void, ms = 0) => this.#add(call, ms, null),
      setInterval: (call: () => void, ms = 0) => this.#add(call, ms, Math.max(1, ms)),
      setImmediate: (call: () => void) => call(),
      clearTimeout: clear,
      clearInterval: clear,
    }
    Object.assign(globalThis, fakes)
    Date.now = () => this.#now
    performance.now = () => this.#now - begin
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size
  }

  get now(): number {
    return this.#now
  }

  /**
   * Passes them at once, calling whatever is due on the way in its turn. What is promised meanwhile is not
   * waited for.
   */
  pass(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = next.at
      if (next.everyMs === null) this.#timers.delete(next)
      else next.at += next.everyMs
      next.call()
    }
    this.#now = end
  }

  /** The same in steps; after each, what has been promised goes on. */
  async passSlowly(ms: number, stepMs = ms): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.pass(Math.min(left, stepMs))
      await settle()
    }
  }

  restore(): void {
    Object.assign(globalThis, this.#real)
    Date.now = this.#realNow
    // The prototype's shows again.
    Reflect.deleteProperty(performance, 'now')
  }

  #next(end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
  }

  #add(call: () => void, ms: number, everyMs: number | null): Timer {
    let isReferenced = true
    const timer: Timer = {
      call,
      everyMs,
      at: this.#now + Math.max(1, ms),
      ref: () => ((isReferenced = true), timer),
      unref: () => ((isReferenced = false), timer),
      hasRef: () => isReferenced,
    }
    this.#timers.add(timer)
    return timer
  }
}

const immediately = setImmediate

/**
 * Whatever has been promised, and what is promised by it, has gone on as far as it goes without time or
 * input.
 */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>(resolve => immediately(resolve))
}
