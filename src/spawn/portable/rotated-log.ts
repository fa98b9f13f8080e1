import { closeSync, constants, fstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import type { LaunchSpec } from '../spec.ts'

const flags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** A log of bounded size: when it is full it becomes `.1`, that one `.2`, and so on. pump.c of the native shim does the same. */
export class RotatedLog {
  readonly #path: string
  readonly #limits: NonNullable<LaunchSpec['logRotation']>
  #fd: number | null
  #size: number
  #lossy = false

  /** Takes over a descriptor that appends to the file at `path`. */
  constructor(fd: number, path: string, limits: NonNullable<LaunchSpec['logRotation']>) {
    this.#fd = fd
    this.#path = path
    this.#limits = limits
    this.#size = fstatSync(fd).size
  }

  /** Something could not be kept. */
  get lossy(): boolean {
    return this.#lossy
  }

  /** Never throws: a full disk must not end the task, so that what cannot be written is thrown away. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#size >= this.#limits.maxBytes) this.#rotate()
      const room = Math.min(bytes.length - at, this.#limits.maxBytes - this.#size)
      try {
        this.#fd ??= openSync(this.#path, flags, 0o640)
        const written = writeSync(this.#fd, bytes, at, room)
        at += written
        this.#size += written
      } catch {
        this.#lossy = true
        return
      }
    }
  }

  /** The oldest first: each name is free when its turn comes, and at any instant a reader finds the files in order. */
  #rotate(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
    this.#size = 0
    for (let number = this.#limits.maxFiles - 2; number >= 0; number--) this.#shift(number)
  }

  /** What does not move aside costs the file behind it. */
  #shift(number: number): void {
    const from = this.#numbered(number)
    try {
      renameSync(from, this.#numbered(number + 1))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      this.#lossy = true
      try {
        unlinkSync(from)
      } catch {
        // A directory: it stays, and what should take its place is dropped in its turn.
      }
    }
  }

  #numbered(number: number): string {
    return number === 0 ? this.#path : `${this.#path}.${number}`
  }
}
