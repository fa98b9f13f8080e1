import { closeSync, constants, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs'
import { checkOf, entryBytes } from '../index-entry.ts'

const share = 8
const minBytes = 64 * 1024

const flags =
  constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * Says in which order the two streams came, as output_index.c of the native shim does;
 * docs/native-protocol.md has its format.
 */
export class OutputIndexWriter {
  readonly #path: string
  readonly #max: number
  readonly #files: number
  readonly #turns = [0, 0]
  #fd: number | null = null
  #size = 0

  /** `dir`: of the task's records. */
  constructor(dir: string, { maxBytes, maxFiles }: { readonly maxBytes: number; readonly maxFiles: number }) {
    this.#path = `${dir}/output.index`
    this.#max = Math.max(minBytes, Math.floor(maxBytes / share))
    this.#files = maxFiles
  }

  /** Bytes that are in the log by now. Never throws: what has no entry is in the log all the same. */
  add(stream: 0 | 1, inode: bigint, position: number, length: number): void {
    try {
      if (this.#fd === null || this.#size + entryBytes > this.#max) this.#begin()
      const entry = Buffer.alloc(entryBytes)
      entry.writeBigUInt64LE(BigInt(Date.now()) * 1000n, 0)
      entry.writeBigUInt64LE(inode, 8)
      entry.writeBigUInt64LE(BigInt(position), 16)
      entry.writeUInt32LE(length, 24)
      entry.writeUInt32LE((this.#turns[stream] ?? 0) / 2, 28)
      entry.writeUInt32LE(stream, 32)
      entry.writeUInt32LE(checkOf(entry), 36)
      if (this.#write(entry, this.#size)) this.#size += entryBytes
    } catch {
      // A full disk.
    }
  }

  /** Around the renames of a rotation, so that no reader takes one file for another. */
  turn(stream: 0 | 1): void {
    this.#turns[stream] = (this.#turns[stream] ?? 0) + 1
    try {
      if (this.#fd !== null) this.#writeHeader()
    } catch {
      // A failing disk.
    }
  }

  #begin(): void {
    if (this.#fd !== null) {
      ftruncateSync(this.#fd, this.#size)
      closeSync(this.#fd)
      this.#fd = null
      for (let number = this.#files - 2; number >= 0; number--) this.#shift(number)
    }
    const fd = openSync(this.#path, flags, 0o600)
    const stat = fstatSync(fd)
    // A task of our own user can put anything there.
    if (!stat.isFile() || stat.nlink !== 1) {
      closeSync(fd)
      throw new Error('something else lies in its place')
    }
    ftruncateSync(fd, 0)
    this.#fd = fd
    this.#size = entryBytes
    this.#writeHeader()
  }

  #shift(number: number): void {
    try {
      renameSync(this.#numbered(number), this.#numbered(number + 1))
    } catch {
      // There is none of this number yet.
    }
  }

  #writeHeader(): void {
    const header = Buffer.alloc(entryBytes)
    header.write('HFINDEX', 'latin1')
    header.writeBigUInt64LE(1n, 8)
    for (const [index, turns] of this.#turns.entries()) header.writeBigUInt64LE(BigInt(turns), 16 + 8 * index)
    this.#write(header, 0)
  }

  #write(bytes: Buffer, at: number): boolean {
    return this.#fd !== null && writeSync(this.#fd, bytes, 0, entryBytes, at) === entryBytes
  }

  #numbered(number: number): string {
    return number === 0 ? this.#path : `${this.#path}.${number}`
  }
}
