import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { makeFifo, removeFifo } from './fifo.ts'

/**
 * What a command says, on its way out: a FIFO as its output. When nobody takes it the command waits; no disk
 * and no memory fills.
 */
export class ExecOutput {
  /** For the command's `stdout` or `stderr`. */
  readonly path: string
  readonly #fd: number
  #reader: Socket | null = null

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /**
   * Open from before the start, so that what a short command says is still there when it is read. Rejects
   * with what the file system says.
   */
  static async open(stateDir: string): Promise<ExecOutput> {
    const path = makeFifo(stateDir)
    return new ExecOutput(path, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  }

  /**
   * Once the command has started: before, there is no writer, and the end would be now. Ends when nothing of
   * the command is left.
   */
  read(): AsyncIterable<Buffer> {
    this.#reader = new Socket({ fd: this.#fd, readable: true, writable: false })
    return this.#reader
  }

  /** Idempotent. */
  close(): void {
    if (this.#reader === null) closeSync(this.#fd)
    else this.#reader.destroy()
    removeFifo(this.path)
  }
}
