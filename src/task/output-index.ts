import { closeSync, readSync } from 'node:fs'
import { checkOf, entryBytes } from '../spawn/index-entry.ts'
import { LogCursor } from './log-cursor.ts'
import { LogFiles } from './log-files.ts'

/** One piece of a stream: where in which file of its log it lies, and when it came. */
export type OutputRecord = {
  readonly stream: 'stdout' | 'stderr'
  /** Milliseconds since the epoch, with their fraction. */
  readonly at: number
  /** How often the log had been rotated when it was written. */
  readonly generation: number
  readonly position: number
  readonly length: number
}

/** Twice the number of rotations of each stream's log, and one more in the middle of one. */
export type Turns = { readonly stdout: number; readonly stderr: number }

const magic = Buffer.from('HFINDEX\0')
const version = 1

/**
 * What a shim has noted of the order of its task's two streams, docs/native-protocol.md. Its files are
 * rotated as a log's are, each begins with a header, and all are rows of entries.
 */
export class OutputIndex {
  readonly #files: LogFiles
  #cursor: LogCursor | null = null
  #rest: Buffer = Buffer.alloc(0)

  /** `dir`: of the task's records; `files`: how many there can be. */
  constructor(dir: string, files: number) {
    this.#files = new LogFiles({ base: dir, path: indexName }, files)
  }

  /**
   * Those that follow; an empty array: there are none yet. `writing`: somebody may be in the middle of a
   * rotation.
   */
  read(writing: boolean): OutputRecord[] {
    this.#cursor ??= LogCursor.open(this.#files, 'start')
    const chunk = this.#cursor?.read(writing) ?? null
    if (chunk === null) return []
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const whole = bytes.length - (bytes.length % entryBytes)
    this.#rest = bytes.subarray(whole)
    const records: OutputRecord[] = []
    for (let at = 0; at < whole; at += entryBytes) {
      const record = recordIn(bytes.subarray(at, at + entryBytes))
      if (record !== null) records.push(record)
    }
    return records
  }

  /** Null: nothing says so. */
  turns(): Turns | null {
    const opened = this.#files.open(0)
    if (opened === null) return null
    try {
      const header = Buffer.alloc(entryBytes)
      const count = readSync(opened.fd, header, 0, entryBytes, 0)
      return count < entryBytes ? null : turnsIn(header)
    } finally {
      closeSync(opened.fd)
    }
  }

  close(): void {
    this.#cursor?.close()
    this.#cursor = null
  }
}

const indexName = 'output.index'

export const indexPath = (dir: string): string => `${dir}/${indexName}`

/** Of a header; null: it is none of ours. */
function turnsIn(header: Buffer): Turns | null {
  if (!header.subarray(0, magic.length).equals(magic) || header.readUInt32LE(8) !== version) return null
  const turns = { stdout: uint64(header, 16), stderr: uint64(header, 24) }
  return Math.max(turns.stdout, turns.stderr) <= maxTurns ? turns : null
}

/** An entry counts generations in 32 bits. */
const maxTurns = 2 * 2 ** 32

/** Of a Date: milliseconds. */
const latest = 8.64e15

/**
 * Null: a header, an entry that was cut short, or one that no shim has written: a time or a place that there
 * is not.
 */
function recordIn(entry: Buffer): OutputRecord | null {
  if (entry.readUInt32LE(36) !== checkOf(entry)) return null
  const [at, position] = [uint64(entry, 0) / 1000, uint64(entry, 16)]
  if (at > latest || position + entry.readUInt32LE(24) > Number.MAX_SAFE_INTEGER) return null
  return {
    at,
    position,
    length: entry.readUInt32LE(24),
    generation: entry.readUInt32LE(28),
    stream: entry.readUInt32LE(32) === 0 ? 'stdout' : 'stderr',
  }
}

const uint64 = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at)
