import { closeSync, constants, existsSync, fstatSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { randomHex } from '../random.ts'
import { HoldfastError } from '../errors.ts'
import { Endpoint } from '../spawn/channel/endpoint.ts'
import { makeFifos } from '../spawn/fifos.ts'
import type { StateDirectory } from '../task/task-directory.ts'

/**
 * A supervisor's life as a FIFO: this process alone holds its write end, and the kernel lets go of it however
 * the process ends. The shims of tasks that are to die with it hold the other end. No pid is compared and no
 * spawner is needed, so that one which dies alone takes nobody along.
 */
export class Lifeline {
  readonly #state: StateDirectory
  readonly #held = new Map<string, () => void>()
  #path = ''
  #closed = false

  constructor(state: StateDirectory) {
    this.#state = state
  }

  /** Whether this is a FIFO of ours, and tasks that hang on it end with us. */
  owns(fifo: string | null): boolean {
    return fifo !== null && this.#held.has(fifo)
  }

  /** Makes it at first use. Throws INVALID_STATE once closed, or why it cannot be made. */
  fifo(): string {
    if (this.#closed)
      throw new HoldfastError('INVALID_STATE', 'the supervisor is closed and starts no more tasks')
    // Somebody may have removed the state directory while we live. What hangs on the old one goes on doing
    // so.
    if (!existsSync(this.#path)) this.#path = this.#make()
    return this.#path
  }

  /** Kills: every task that hangs on it ends. Idempotent. */
  close(): void {
    this.#closed = true
    for (const [path, letGo] of this.#held) {
      // First the name: a shim that comes late finds nothing, and starts nothing.
      removeName(path)
      letGo()
    }
    this.#held.clear()
  }

  #make(): string {
    const dir = this.#state.lifelinesDirectory()
    const path = join(dir, `${process.pid}-${randomHex(6)}`)
    try {
      if (process.platform === 'win32') {
        const endpoint = new Endpoint(path)
        this.#held.set(path, () => endpoint.close())
        return path
      }
      makeFifos(path)
      // Read-write, so that the open does not fail for want of a reader. Node's descriptors are closed on
      // exec: no child keeps it open.
      const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
      if (fstatSync(fd).isFIFO()) {
        this.#held.set(path, () => closeSync(fd))
        return path
      }
      closeSync(fd)
      throw new Error('something else lies in its place')
    } catch (error) {
      removeName(path)
      const { code, message } = error as NodeJS.ErrnoException
      throw new HoldfastError('START_FAILED', `the FIFO ${path} cannot be made: ${message}`, {
        stage: 'state',
        errno: code,
        path,
        cause: error,
        hint: "orphans: 'kill' needs the native program or mkfifo(1), and a state directory on a file system with FIFOs.",
      })
    }
  }
}

/** What cannot be removed is found by audit(). It must keep nobody from letting go. */
function removeName(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone with the state directory, or that is read-only by now.
  }
}
