/**
 * Whether a task has been let go of, and a signal of it for whoever waits meanwhile. Most tasks end without
 * anybody having asked for that, and an AbortController is among the dearest objects of a start.
 */
export class LetGo {
  #isOver = false
  #controller: AbortController | null = null

  get aborted(): boolean {
    return this.#isOver
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isOver) this.#controller.abort('over')
    return this.#controller.signal
  }

  /** Idempotent. */
  abort(): void {
    this.#isOver = true
    this.#controller?.abort('over')
  }
}
