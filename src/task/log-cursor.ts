import { closeSync, fstatSync, readSync } from 'node:fs'
import type { LogFiles, OpenedLog } from './log-files.ts'
import { tailPlace } from './log-reader.ts'

/**
 * How long a number may be missing before it is taken for lost: a rotation takes microseconds, unless whoever
 * did it was killed amid it.
 */
const gapMs = 1000

const largestChunk = 64 * 1024

/**
 * Reads a log that is being written and rotated, each byte once. It holds one file open, which the rotation
 * may drop meanwhile.
 */
export class LogCursor {
  readonly #files: LogFiles
  #at: OpenedLog
  #position: number
  #gapSince: number | null = null

  private constructor(files: LogFiles, at: OpenedLog, position: number) {
    this.#files = files
    this.#at = at
    this.#position = position
  }

  /** Where reading is to begin; null while there is no log. */
  static open(files: LogFiles, from: 'start' | 'end' | { lines: number }): LogCursor | null {
    const opened = files.openAll()
    const begin = beginning(opened, from)
    for (const one of opened) if (one !== begin?.at) closeSync(one.fd)
    return begin === null ? null : new LogCursor(files, begin.at, begin.position)
  }

  /** The next bytes; null: there are none yet. `writing`: somebody may be in the middle of a rotation. */
  read(writing: boolean): Buffer | null {
    for (;;) {
      const chunk = this.#chunk()
      if (chunk !== null) return chunk
      if (this.#files.count === 1 || this.#files.is(0, this.#at)) return null
      // It is no longer written to. What came before that may have come after our look.
      const last = this.#chunk()
      if (last !== null) return last
      const next = this.#successor(writing)
      if (next === null) return null
      closeSync(this.#at.fd)
      this.#at = next
      this.#position = 0
    }
  }

  close(): void {
    closeSync(this.#at.fd)
  }

  #chunk(): Buffer | null {
    // Cut by whoever may write it: what comes from now on comes from its new beginning.
    if (fstatSync(this.#at.fd).size < this.#position) this.#position = 0
    const chunk = Buffer.allocUnsafe(largestChunk)
    const count = readSync(this.#at.fd, chunk, 0, chunk.length, this.#position)
    this.#position += count
    return count === 0 ? null : chunk.subarray(0, count)
  }

  #successor(writing: boolean): OpenedLog | null {
    const number = this.#number()
    // Numbers only grow, and we looked upwards: it is not there any more. What follows now is the oldest
    // there is.
    if (number === null) return this.#below(this.#files.count)
    const next = this.#files.open(number - 1)
    if (next === null) return this.#isAmidRotation(writing) ? null : this.#below(number - 1)
    this.#gapSince = null
    // Renamed in between, the other is not the one that follows. The oldest is renamed first: while ours has
    // its number, the next has its own.
    if (this.#files.is(number, this.#at)) return next
    closeSync(next.fd)
    return null
  }

  #number(): number | null {
    for (let number = 1; number < this.#files.count; number++)
      if (this.#files.is(number, this.#at)) return number
    return null
  }

  /** The next one that is there. */
  #below(limit: number): OpenedLog | null {
    this.#gapSince = null
    for (let number = limit - 1; number >= 0; number--) {
      const found = this.#files.open(number)
      if (found !== null) return found
    }
    return null
  }

  #isAmidRotation(writing: boolean): boolean {
    this.#gapSince ??= performance.now()
    return writing && performance.now() - this.#gapSince < gapMs
  }
}

type Beginning = { readonly at: OpenedLog; readonly position: number }

function beginning(
  opened: readonly OpenedLog[],
  from: 'start' | 'end' | { lines: number },
): Beginning | null {
  const [oldest] = opened
  const newest = opened.at(-1)
  if (oldest === undefined || newest === undefined) return null
  if (from === 'start') return { at: oldest, position: 0 }
  if (from === 'end' || from.lines <= 0) return { at: newest, position: fstatSync(newest.fd).size }
  const { index, offset } = tailPlace(
    opened.map(({ fd }) => fd),
    from.lines,
  )
  return { at: opened[index] as OpenedLog, position: offset }
}
