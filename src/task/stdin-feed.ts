import { finished, type Readable } from 'node:stream'
import type { Feed } from '../spawn/feed.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'

/** Feeds a stream of this program to a task. This process alone holds the other end: the task reads to the end however it ends. */
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

  /** The task runs: the rest is between its end and the stream. */
  begin(): void {
    const sink = this.way.begin()
    if (sink === null) {
      this.#source.destroy()
      return
    }
    this.#keepAlive.addStream(sink)
    // EPIPE: the task reads no further, or has ended. Not by pipeline(), which would make that an error of the source.
    sink.on('error', () => {}).once('close', () => this.#source.destroy())
    finished(this.#source, { writable: false }, error => {
      if (error) sink.destroy()
    })
    this.#source.pipe(sink)
  }

  /** Lets go; what has not been written yet is not. Idempotent. */
  end(): void {
    this.way.end()
  }
}
