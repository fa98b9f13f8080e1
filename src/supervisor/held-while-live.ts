import { Observable } from 'rxjs'
import type { KeepAlive } from '../spawn/keep-alive.ts'

/** Keeps the program running while somebody listens and there is something that may still be heard: a task that has not ended. */
export class HeldWhileLive {
  readonly #keepAlive: KeepAlive
  readonly #live = new Set<string>()
  #listeners = 0
  #release: (() => void) | null = null

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive
  }

  begin(key: string): void {
    this.#live.add(key)
    this.#balance()
  }

  end(key: string): void {
    this.#live.delete(key)
    this.#balance()
  }

  stream<Value>(source: Observable<Value>): Observable<Value> {
    return new Observable(subscriber => {
      this.#listeners++
      this.#balance()
      subscriber.add(() => {
        this.#listeners--
        this.#balance()
      })
      subscriber.add(source.subscribe(subscriber))
    })
  }

  #balance(): void {
    const wanted = this.#listeners > 0 && this.#live.size > 0
    if (wanted) this.#release ??= this.#keepAlive.hold()
    else {
      this.#release?.()
      this.#release = null
    }
  }
}
