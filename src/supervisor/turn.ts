/**
 * How long, in milliseconds, others may have to wait for their turn of the event loop while many tasks are
 * gone through.
 */
const turnMs = 8

/** The turn of the event loop that a long piece of work has. Workers that share one give way together. */
export class Turn {
  #began = performance.now()
  #next: Promise<void> | null = null

  /** Asked between two pieces: resolves in the next turn when this one has been long enough, else at once. */
  async share(): Promise<void> {
    if (this.#next === null && performance.now() - this.#began <= turnMs) return
    this.#next ??= new Promise(resolve => {
      setImmediate(() => {
        this.#began = performance.now()
        this.#next = null
        resolve()
      })
    })
    await this.#next
  }
}
