import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { anchored } from '../../anchored.ts'
import { O_PATH } from '../../alloc/directory.ts'
import { openTrusted } from '../../alloc/open-trusted.ts'
import type { LaunchSpec } from '../spec.ts'
import type { OutputIndexWriter } from './output-index.ts'

const flags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/**
 * A path at which the directory of the file is found, whatever a task that owns one above it has put there
 * meanwhile: that directory is held open. Throws ELOOP when it is not where the file lies.
 */
function anchoredPath(path: string, fd: number): string {
  if (!anchored) return path
  const directory = openTrusted(dirname(path), O_PATH | constants.O_DIRECTORY)
  const known = `/proc/self/fd/${directory}/${basename(path)}`
  const [named, opened] = [lstatSync(known, { throwIfNoEntry: false }), fstatSync(fd)]
  if (named?.ino === opened.ino && named.dev === opened.dev) return known
  throw Object.assign(new Error(`${path} is no longer where it was`), { code: 'ELOOP', path })
}

/**
 * A log of bounded size: when it is full it becomes `.1`, that one `.2`, and so on. pump.c of the native shim
 * does the same.
 */
export class RotatedLog {
  readonly #path: string
  readonly #limits: NonNullable<LaunchSpec['logRotation']>
  #fd: number | null
  #size: number
  #inode: bigint
  #lossy = false
  /** Bytes that were written to it and are not kept. */
  #dropped = 0
  /** How often it has been rotated. */
  #generation = 0
  readonly #index: OutputIndexWriter | null
  readonly #stream: 0 | 1

  /** Takes over a descriptor that appends to the file at `path`. What is written is noted in the index. */
  constructor(
    fd: number,
    path: string,
    limits: NonNullable<LaunchSpec['logRotation']>,
    index: OutputIndexWriter | null = null,
    stream: 0 | 1 = 0,
  ) {
    this.#fd = fd
    this.#path = anchoredPath(path, fd)
    this.#limits = limits
    this.#size = fstatSync(fd).size
    this.#inode = fstatSync(fd, { bigint: true }).ino
    this.#index = index
    this.#stream = stream
  }

  /** Something could not be kept, or is not there any more. */
  get lossy(): boolean {
    return this.#lossy || this.#isCut()
  }

  get dropped(): number {
    return this.#dropped
  }

  #isCut(): boolean {
    if (this.#fd === null) return false
    const { size, nlink } = fstatSync(this.#fd)
    return size < this.#size || nlink === 0
  }

  /** Never throws: a full disk must not end the task, so that what cannot be written is thrown away. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#size >= this.#limits.maxBytes) this.#rotate()
      const room = Math.min(bytes.length - at, this.#limits.maxBytes - this.#size)
      try {
        const fd = this.#fd ?? this.#create()
        if (this.#isCut()) this.#recount(fd)
        const written = writeSync(fd, bytes, at, room)
        this.#index?.add(this.#stream, this.#inode, this.#size, written)
        at += written
        this.#size += written
      } catch {
        this.#lossy = true
        this.#dropped += bytes.length - at
        return
      }
    }
  }

  /**
   * The oldest first: each name is free when its turn comes, and at any instant a reader finds the files in
   * order.
   */
  #rotate(): void {
    if (this.#isCut()) this.#lossy = true
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
    this.#size = 0
    // What was there before the start is not missed.
    if (this.#generation++ >= this.#limits.maxFiles - 1) {
      this.#lossy = true
      this.#dropped += this.#limits.maxBytes
    }
    this.#index?.turn(this.#stream)
    for (let number = this.#limits.maxFiles - 2; number >= 0; number--) this.#shift(number)
    try {
      this.#create()
    } catch {
      // Tried again with the next bytes.
    }
    this.#index?.turn(this.#stream)
  }

  #create(): number {
    const fd = openSync(this.#path, flags, 0o640)
    this.#fd = fd
    this.#inode = fstatSync(fd, { bigint: true }).ino
    return fd
  }

  /** Cut by somebody who may write it: it goes on where it ends now. */
  #recount(fd: number): void {
    this.#lossy = true
    this.#size = fstatSync(fd).size
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
