import { finished, type Readable } from 'node:stream'
import type { Feed } from '../spawn/feed.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'

/**
 * A stream of this program that a task reads from. `failed` is called when it ends without having come to its
 * end.
 */
export type TaskInput = { readonly stream: Readable; readonly failed: (error: Error) => void }

/**
 * Feeds a stream of this program to a task. This process alone holds the other end: the task reads to the end
 * however it ends.
 */
export class StdinFeed {
  /** By what the task is fed. */
  readonly way: Feed
  readonly #source: Readable
  readonly #keepAlive: KeepAlive

  constructor(way: Feed, source: Readable, keepAlive: KeepAlive) {
    this.way = way
    this.#source = source
    this.#keepAlive = keepAlive
  }

  /**
   * The task runs: the rest is between its end and the stream. `failed` is called when the stream ends
   * without having come to its end: then the task is shown none either, and reads on until it is stopped or
   * this is let go.
   */
  begin(failed: (error: Error) => void): void {
    const sink = this.way.begin()
    if (sink === null) {
      this.#source.destroy()
      return
    }
    this.#keepAlive.addStream(sink)
    // EPIPE: the task reads no further, or has ended. Not by pipeline(), which would make that an error of
    // the source.
    sink.on('error', () => {}).once('close', () => this.#source.destroy())
    finished(this.#source, { writable: false }, error => {
      // Destroyed by ourselves, because the task reads no further.
      if (error && !sink.destroyed) failed(error)
    })
    this.#source.pipe(sink)
  }

  /** Lets go; what has not been written yet is not. Idempotent. */
  end(): void {
    this.way.end()
  }
}
