import type { Socket } from 'node:net'
import type { Feed } from '../feed.ts'

/** Through a pipe that the shim inherits and hands on: nobody but this process has the other end. */
export class PipeFeed implements Feed {
  #sink: Socket | null = null
  #ended = false

  /** Our end: a socket, whatever the system makes of it. */
  connect(sink: unknown): void {
    this.#sink = sink as Socket
    this.#sink.on('error', () => {})
    // It tells of nothing before it is written to.
    this.#sink.unref()
    if (this.#ended) this.#sink.destroy()
  }

  begin(): Socket | null {
    // Read from, too: that the task has closed its end is an end of file.
    return this.#sink?.destroyed === false ? this.#sink.resume() : null
  }

  end(): void {
    this.#ended = true
    this.#sink?.destroy()
  }
}
