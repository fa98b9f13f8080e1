import { closeSync, fstatSync, readSync } from 'node:fs'
import type { LogOptions, LogRotation } from '../api.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { LogChanges } from './log-changes.ts'
import { LogCursor } from './log-cursor.ts'
import { LogFiles } from './log-files.ts'
import { tailPlace } from './log-reader.ts'
import { type Pull, pull, type Streamed, streamed } from './pulled.ts'

const largestChunk = 64 * 1024

export type LogSource = {
  /** Known once the task has been launched. */
  target(): FileTarget
  /** How many files there can be of it: 1 where it is not rotated. */
  files(): number
  /** How they are numbered; absent: by `shift`. */
  numbering?(): LogRotation['numbering']
  /** Whether there may be more; false once the task has ended, or its supervisor has let go of it. */
  writing(): boolean
  /** Calls `heard` when that changes: a last look is due at once. Returns the way to hear no more. */
  onEnd(ended: () => void): () => void
  /** Keeps the program running while somebody follows. */
  hold(): () => void
}

/** The same as {@link readLog}. */
export function logStream(source: LogSource, options: LogOptions = {}): Streamed<Uint8Array> {
  return streamed(() => readLog(source, options))
}

/**
 * The bytes of a log in order, across its rotations. Without `follow`, it ends at the present end; with it,
 * when the task has ended, or its supervisor was closed, and all is read. A follower that falls behind what
 * is kept goes on with the oldest that is.
 */
export function readLog(source: LogSource, options: LogOptions = {}): Pull<Uint8Array> {
  const changes = new LogChanges()
  const read = options.follow ? follow(source, options, changes) : replay(source, options, changes)
  return pull(held(source, read, changes), () => changes.close())
}

export type Beginning = 'start' | 'end' | { lines: number }

export const beginningOf = ({ fromStart = true, tail }: LogOptions): Beginning =>
  tail !== undefined ? { lines: tail } : fromStart ? 'start' : 'end'

/** Keeps the program running while it reads. */
export async function* held<Value>(
  source: Pick<LogSource, 'hold' | 'onEnd'>,
  read: AsyncGenerator<Value, void>,
  changes: LogChanges,
): AsyncGenerator<Value, void> {
  const release = source.hold()
  const hearNoMore = source.onEnd(() => changes.end())
  try {
    yield* read
  } finally {
    changes.close()
    hearNoMore()
    release()
  }
}

const filesOf = (source: LogSource): LogFiles =>
  new LogFiles(source.target(), source.files(), source.numbering?.())

async function* follow(
  source: LogSource,
  options: LogOptions,
  changes: LogChanges,
): AsyncGenerator<Uint8Array, void> {
  let cursor: LogCursor | null = null
  // What is written to a log that is not there yet comes from now on.
  let from = beginningOf(options)
  try {
    for (;;) {
      changes.readingBegins()
      // Asked before reading: what was written before the end is then surely read below.
      const writing = source.writing()
      if (writing) changes.watch(source.target())
      cursor ??= await changes.retryLeased(() => LogCursor.open(filesOf(source), from))
      from = 'start'
      for (;;) {
        const chunk: Uint8Array | null = await changes.retryLeased(() => cursor?.read(writing) ?? null)
        if (chunk === null) break
        yield chunk
      }
      if (!writing || changes.closed) return
      await changes.next()
      if (changes.closed) return
    }
  } finally {
    cursor?.close()
  }
}

/** What is there now: files that are rotated away meanwhile are held, those that come are not looked at. */
async function* replay(
  source: LogSource,
  options: LogOptions,
  changes: LogChanges,
): AsyncGenerator<Uint8Array, void> {
  const from = beginningOf(options)
  const files = filesOf(source)
  const opened = (await changes.retryLeased(() => files.openAll())).map(({ fd }) => ({
    fd,
    size: fstatSync(fd).size,
  }))
  try {
    const fds = opened.map(({ fd }) => fd)
    const lines = from === 'end' ? 0 : from === 'start' ? null : from.lines
    const begin = lines === null || fds.length === 0 ? { index: 0, offset: 0 } : tailPlace(fds, lines)
    for (const [index, { fd, size }] of opened.entries()) {
      if (index < begin.index) continue
      for (let position = index === begin.index ? begin.offset : 0; position < size;) {
        const chunk = Buffer.allocUnsafe(Math.min(largestChunk, size - position))
        const count = readSync(fd, chunk, 0, chunk.length, position)
        // Cut meanwhile.
        if (count === 0) break
        position += count
        yield chunk.subarray(0, count)
      }
    }
  } finally {
    for (const { fd } of opened) closeSync(fd)
  }
}
