import { appendFileSync, existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputSource, OutputStream } from '../../src/task/output-reader.ts'

/**
 * What a shim leaves of a task's two streams, written by the test: logs that are rotated when it says so, and
 * the index of their order.
 */
export class IndexedOutput {
  readonly dir: string
  /** How many files each log can have. */
  readonly files: number
  writing = false
  #at = 1_700_000_000_000
  readonly #turns = { stdout: 0, stderr: 0 }
  readonly #sizes = { stdout: 0, stderr: 0 }
  readonly #heard = new Set<() => void>()
  holders = 0

  constructor(dir: string, files = 3) {
    this.dir = dir
    this.files = files
    for (const stream of ['stdout', 'stderr'] as const) writeFileSync(this.path(stream), '')
    writeFileSync(this.#index, headerOf(this.#turns))
  }

  get #index(): string {
    return join(this.dir, 'output.index')
  }

  path(stream: OutputStream): string {
    return join(this.dir, stream)
  }

  /** Bytes with their record, a second after the last. Returns when. */
  write(stream: OutputStream, text: string): Date {
    const position = this.#sizes[stream]
    this.writeUnnoted(stream, text)
    this.#at += 1000
    const generation = this.#turns[stream]
    this.note({ stream, at: this.#at, position, length: Buffer.byteLength(text), generation })
    return new Date(this.#at)
  }

  /** Bytes of which the index says nothing. */
  writeUnnoted(stream: OutputStream, text: string): void {
    appendFileSync(this.path(stream), text)
    this.#sizes[stream] += Buffer.byteLength(text)
  }

  note(record: Parameters<typeof entryOf>[0]): void {
    appendFileSync(this.#index, entryOf(record))
  }

  /**
   * As the shim does: the oldest falls out, the others go up by one, a new one begins; the header says it.
   */
  rotate(stream: OutputStream): void {
    const path = this.path(stream)
    for (let number = this.files - 2; number >= 0; number--) {
      const from = number === 0 ? path : `${path}.${number}`
      if (existsSync(from)) renameSync(from, `${path}.${number + 1}`)
    }
    writeFileSync(path, '')
    this.#sizes[stream] = 0
    this.#turns[stream]++
    this.writeHeader({ stdout: 2 * this.#turns.stdout, stderr: 2 * this.#turns.stderr })
  }

  /** `turns`: twice the rotations, and one more amid one. */
  writeHeader(turns: { readonly stdout: number; readonly stderr: number }): void {
    writeFileSync(this.#index, headerOf(turns), { flag: 'r+' })
  }

  end(): void {
    this.writing = false
    for (const heard of this.#heard) heard()
  }

  get source(): OutputSource {
    return {
      dir: this.dir,
      log: stream => ({ target: { base: this.dir, path: stream }, files: this.files }),
      indexFiles: () => this.files,
      writing: () => this.writing,
      onEnd: heard => {
        this.#heard.add(heard)
        return () => this.#heard.delete(heard)
      },
      hold: () => {
        this.holders++
        return () => {
          this.holders--
        }
      },
    }
  }
}

/** docs/native-protocol.md, output.index. */
function headerOf({ stdout, stderr }: { readonly stdout: number; readonly stderr: number }): Buffer {
  const header = Buffer.alloc(40)
  header.write('HFINDEX\0', 0, 'latin1')
  header.writeUInt32LE(1, 8)
  header.writeBigUInt64LE(BigInt(stdout), 16)
  header.writeBigUInt64LE(BigInt(stderr), 24)
  return header
}

function entryOf(record: {
  readonly stream: OutputStream
  readonly at: number
  readonly position: number
  readonly length: number
  readonly generation: number
}): Buffer {
  const entry = Buffer.alloc(40)
  entry.writeBigUInt64LE(BigInt(Math.round(record.at * 1000)), 0)
  entry.writeBigUInt64LE(BigInt(record.position), 16)
  entry.writeUInt32LE(record.length, 24)
  entry.writeUInt32LE(record.generation, 28)
  entry.writeUInt32LE(record.stream === 'stdout' ? 0 : 1, 32)
  let sum = 2166136261
  for (const byte of entry.subarray(0, 36)) sum = Math.imul(sum ^ byte, 16777619)
  entry.writeUInt32LE(sum >>> 0, 36)
  return entry
}
