import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { makeFifo, removeFifo } from './fifo.ts'

/** What is typed, on its way into a command: a FIFO that the command reads as its standard input. */
export class ExecInput {
  /** For the command's `stdin`. */
  readonly path: string
  readonly #writer: Socket

  private constructor(path: string, writer: Socket) {
    this.path = path
    this.#writer = writer
    // The command has ended, or has closed its input: what is typed then goes nowhere.
    writer.on('error', () => {})
  }

  /** Rejects with what the file system says. */
  static async open(stateDir: string): Promise<ExecInput> {
    const path = makeFifo(stateDir)
    // Both ends at first: without a reader the write end cannot be opened without waiting.
    const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      return new ExecInput(path, new Socket({ fd, readable: false, writable: true }).unref())
    } finally {
      // The pipe lives on as long as the write end does, and what is in it.
      closeSync(both)
    }
  }

  /** Resolves when there is room for more. */
  write(data: Uint8Array): Promise<void> {
    return new Promise(resolve => {
      if (this.#writer.destroyed) resolve()
      else this.#writer.write(data, () => resolve())
    })
  }

  /** The command reads the end of its input. */
  end(): void {
    this.#writer.end()
  }

  /** Idempotent. */
  close(): void {
    this.#writer.destroy()
    removeFifo(this.path)
  }
}
