import { chownSync, constants, openSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { LaunchSpec } from '../spec.ts'
import type { RotatedLog } from './rotated-log.ts'

type Carried = {
  readonly log: RotatedLog
  readonly stream: 'stdout' | 'stderr'
  readonly credentials: LaunchSpec['credentials']
}

/**
 * Carries what a task writes into a rotated log. Through a FIFO without a name where one can be made, not
 * through what spawn makes: that is a socket, and a program could not open its /dev/stdout again.
 */
export class LogPipe {
  /** What the task gets. A descriptor is to be closed here when it has it. */
  readonly end: number | 'pipe'
  /** Is told how many bytes have come. */
  onBytes: (count: number) => void = () => {}
  readonly #log: RotatedLog
  readonly #streams: ('stdout' | 'stderr')[]
  readonly #sources: { readonly stream: Readable; readonly ended: Promise<true> }[] = []

  /** `fifo` has been made for this, and loses its name; null: by what spawn makes. */
  constructor(fifo: string | null, { log, stream, credentials }: Carried) {
    this.#log = log
    this.#streams = [stream]
    if (fifo === null) {
      this.end = 'pipe'
      return
    }
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    this.end = openSync(fifo, constants.O_WRONLY | constants.O_NOFOLLOW)
    if (credentials !== null && process.geteuid?.() === 0) chownSync(fifo, credentials.uid, credentials.gid)
    unlinkSync(fifo)
    this.#read(new Socket({ fd, readable: true, writable: false }))
  }

  get dropped(): number {
    return this.#log.dropped
  }

  get streams(): number {
    return this.#streams.length
  }

  /** The other stream goes the same way. */
  join(): number | 'pipe' {
    this.#streams.push('stderr')
    return this.end
  }

  /** The task is there. */
  attach(child: Pick<ChildProcess, 'stdout' | 'stderr'>): void {
    if (this.end !== 'pipe') return
    for (const name of this.#streams) {
      const stream = child[name]
      if (stream) this.#read(stream)
    }
  }

  #read(stream: Readable): void {
    const ended = new Promise<true>(resolve => stream.once('close', () => resolve(true)))
    stream.on('error', () => stream.destroy())
    // Written at once: a task that is faster than the disk finds its pipe full.
    stream.on('data', (bytes: Buffer) => {
      this.#log.write(bytes)
      this.onBytes(bytes.length)
    })
    this.#sources.push({ stream, ended })
  }

  /**
   * After the task's end. True when all it has written is in the log; false too when somebody else still
   * holds the pipe after `waitMs`.
   */
  async drained(waitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const timedOut = new Promise<false>(resolve => {
      timer = setTimeout(() => resolve(false), waitMs)
    })
    const all = Promise.all(this.#sources.map(({ ended }) => ended)).then(() => true)
    const ended = await Promise.race([all, timedOut])
    clearTimeout(timer)
    for (const { stream } of this.#sources) stream.destroy()
    return ended && !this.#log.lossy
  }
}
