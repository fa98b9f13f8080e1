import { closeSync, constants, openSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { HoldfastError } from '../errors.ts'
import type { Feed } from './feed.ts'
import { makeFifos } from './fifos.ts'

const flags = constants.O_NONBLOCK | constants.O_NOFOLLOW

/**
 * Through the FIFO `stdin` in the task's directory, which the native shim opens by its name. This process
 * alone holds the write end.
 */
export class FifoFeed implements Feed {
  readonly #path: string
  /** Both ends, until the task has its own: without a writer it would be at the end before the beginning. */
  #both: number | null
  #sink: Socket | null = null

  /** Before the shim is asked for. Throws START_FAILED when there can be no FIFO. */
  constructor(dir: string) {
    this.#path = `${dir}/stdin`
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
        hint: 'A stream as standard input needs the native program or mkfifo(1), and a state directory on a file system with FIFOs.',
      })
    }
  }

  begin(): Socket | null {
    const fd = this.#writeEnd()
    this.#forget()
    if (fd === null) return null
    this.#sink = new Socket({ fd, readable: false, writable: true })
    return this.#sink
  }

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
