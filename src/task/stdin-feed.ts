import { closeSync, constants, openSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { finished, type Readable } from 'node:stream'
import { HoldfastError } from '../errors.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import { makeFifos } from '../spawn/portable/fifos.ts'

const flags = constants.O_NONBLOCK | (constants.O_NOFOLLOW ?? 0)

/**
 * Feeds a stream of this program to a task, through the FIFO `stdin` in its directory. This process alone holds the write end: the kernel lets go
 * of it however the process ends, and the task then reads to the end.
 */
export class StdinFeed {
  readonly #path: string
  readonly #source: Readable
  readonly #keepAlive: KeepAlive
  /** Both ends, until the task has its own: without a writer it would be at the end before the beginning. */
  #both: number | null
  #sink: Socket | null = null

  /** Before the shim is asked for. Throws START_FAILED when there can be no FIFO. */
  constructor(dir: string, source: Readable, keepAlive: KeepAlive) {
    this.#path = `${dir}/stdin`
    this.#source = source
    this.#keepAlive = keepAlive
    try {
      makeFifos(this.#path)
      this.#both = openSync(this.#path, constants.O_RDWR | flags)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new HoldfastError('START_FAILED', `the FIFO for standard input cannot be made: ${message}`, {
        stage: 'stdin',
        errno: code,
        path: this.#path,
        cause: error,
        hint: 'A stream as standard input needs mkfifo(1) and a state directory on a file system with FIFOs.',
      })
    }
  }

  /** The task runs: the rest is between its end and the stream. */
  begin(): void {
    const fd = this.#writeEnd()
    this.#forget()
    if (fd === null) {
      this.#source.destroy()
      return
    }
    this.#sink = new Socket({ fd, readable: false, writable: true })
    this.#keepAlive.addStream(this.#sink)
    // EPIPE: the task reads no further, or has ended. Not by pipeline(), which would make that an error of the source.
    const sink = this.#sink.on('error', () => {}).once('close', () => this.#source.destroy())
    finished(this.#source, { writable: false }, error => {
      if (error) sink.destroy()
    })
    this.#source.pipe(sink)
  }

  /** Lets go; what has not been written yet is not. Idempotent. */
  end(): void {
    this.#forget()
    this.#sink?.destroy()
  }

  /** Null: the task has closed it already. */
  #writeEnd(): number | null {
    try {
      return openSync(this.#path, constants.O_WRONLY | flags)
    } catch {
      return null
    }
  }

  #forget(): void {
    if (this.#both === null) return
    closeSync(this.#both)
    this.#both = null
    try {
      unlinkSync(this.#path)
    } catch {
      // Gone with the directory.
    }
  }
}
