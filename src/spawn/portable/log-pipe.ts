import { chownSync, constants, openSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import type { LaunchSpec } from '../spec.ts'
import type { RotatedLog } from './rotated-log.ts'

/**
 * Carries what a task writes into a rotated log. Through a FIFO without a name, not through what spawn makes: that is a socket, and a program
 * could not open its /dev/stdout again.
 */
export class LogPipe {
  /** What the task gets. To be closed here when it has it. */
  readonly writeEnd: number
  readonly #log: RotatedLog
  readonly #source: Socket
  readonly #ended: Promise<true>

  /** `fifo` has been made for this, and loses its name. */
  constructor(fifo: string, log: RotatedLog, credentials: LaunchSpec['credentials']) {
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
    this.writeEnd = openSync(fifo, constants.O_WRONLY)
    if (credentials !== null && process.geteuid?.() === 0) chownSync(fifo, credentials.uid, credentials.gid)
    unlinkSync(fifo)
    this.#log = log
    this.#source = new Socket({ fd, readable: true, writable: false })
    this.#ended = new Promise(resolve => this.#source.once('close', () => resolve(true)))
    this.#source.on('error', () => this.#source.destroy())
    // Written at once: a task that is faster than the disk finds its pipe full.
    this.#source.on('data', (bytes: Buffer) => log.write(bytes))
  }

  /** After the task's end. True when all it has written is in the log; false too when somebody else still holds the pipe after `waitMs`. */
  async drained(waitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>(resolve => {
      timer = setTimeout(() => resolve(false), waitMs)
    })
    const ended = await Promise.race([this.#ended, late])
    clearTimeout(timer)
    this.#source.destroy()
    return ended && !this.#log.lossy
  }
}
