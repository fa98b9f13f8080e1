import type { Executor, OutputChunk } from '../api.ts'
import type { CollectedOutput } from './collected-output.ts'

/**
 * Those who read a task's output beside what is collected of it, each at a pace of its own. Its logs stay
 * until they have done.
 */
export class OutputReaders {
  readonly #task: Executor
  readonly #started: Promise<void>
  readonly #collected: CollectedOutput
  readonly #reading = new Set<Promise<void>>()
  #over = false

  constructor(task: Executor, started: Promise<void>, collected: CollectedOutput) {
    this.#task = task
    this.#started = started
    this.#collected = collected
  }

  /**
   * From the first byte. Who comes when the task's logs are gone gets what was collected. Rejects as the
   * start did.
   */
  async *read(only?: 'stdout' | 'stderr'): AsyncGenerator<OutputChunk, void> {
    await this.#started
    if (this.#over) {
      for (const chunk of this.#collected.chunks) if (only === undefined || chunk.stream === only) yield chunk
      return
    }
    const { promise, done } = pending()
    this.#reading.add(promise)
    try {
      yield* this.#task.output$({ follow: true, ...(only !== undefined && { only }) })
    } finally {
      this.#reading.delete(promise)
      done()
    }
  }

  /** Resolves when nobody reads any more; whoever comes later gets what was collected. */
  async idle(): Promise<void> {
    while (this.#reading.size > 0) await Promise.all(this.#reading)
    this.#over = true
  }
}

function pending(): { readonly promise: Promise<void>; readonly done: () => void } {
  let done = (): void => {}
  const promise = new Promise<void>(resolve => {
    done = resolve
  })
  return { promise, done }
}
