import { closeSync, fstatSync, readSync } from 'node:fs'
import { type LogFiles, type OpenedLog } from './log-files.ts'
import { tailPlace } from './log-reader.ts'
import type { Beginning } from './log-stream.ts'
import type { OutputRecord } from './output-index.ts'

const largestChunk = 64 * 1024
const attempts = 100
/**
 * A follower that is slower than its task has so many files that are rotated away meanwhile, which then still
 * take room on the disk.
 */
const maxHeld = 64

export type Place = { readonly generation: number; readonly position: number }

export type Piece = {
  readonly bytes: Uint8Array
  /** No record has said where it belongs. */
  readonly unplaced: boolean
  /** So many bytes before it were rotated away before they could be read. */
  readonly lost?: number
}

/**
 * One stream's log as the index names it: by generation, which counts its rotations, where a file's number
 * counts from the newest. What was there at the begin is held, so that nothing of it is missed.
 */
export class OutputFiles {
  readonly #files: LogFiles
  /** As in the index; null where nobody can say. */
  readonly #turns: () => number | null
  /** The file that was last read. */
  #identity: string | null = null
  readonly #held = new Map<number, OpenedLog>()
  #at: Place = { generation: 0, position: 0 }
  #lost = 0
  #block: { readonly fd: number; readonly from: number; readonly bytes: Buffer } | null = null
  /** What the turns were when they were waited for in vain. */
  #amid: number | null = null
  /** Until when nothing is given up, to be read once more. */
  #mark: Place | null = null

  constructor(files: LogFiles, turns: () => number | null) {
    this.#files = files
    this.#turns = turns
  }

  /** Opens what is there. Returns where it ends now. */
  begin(from: Beginning): Place {
    const generation = this.#openAll()
    const held = [...this.#held].sort(([one], [two]) => one - two)
    const newest = held.at(-1)
    const end = {
      generation: newest?.[0] ?? generation,
      position: newest === undefined ? 0 : fstatSync(newest[1].fd).size,
    }
    const [oldest] = held
    if (from === 'end' || oldest === undefined) this.#at = end
    else if (from === 'start') this.#at = { generation: oldest[0], position: 0 }
    else {
      const place = tailPlace(
        held.map(([, { fd }]) => fd),
        from.lines,
      )
      this.#at = { generation: held[place.index]?.[0] ?? 0, position: place.offset }
    }
    return end
  }

  /** To read from here once more after {@link rewind}. */
  mark(): void {
    this.#mark = this.#at
  }

  rewind(): void {
    if (this.#mark !== null) this.#at = this.#mark
    this.#mark = null
  }

  /**
   * The bytes of a record, and before them those that no record has named. `skip`: none of them, as if they
   * had been read.
   */
  *take({ generation, position, length }: OutputRecord, skip: boolean): Generator<Piece, void> {
    const end = { generation, position: position + length }
    if (!isBefore(this.#at, end)) return
    if (skip) {
      this.#identity = this.#file(generation)?.identity ?? this.#identity
      this.#move(end)
      return
    }
    yield* this.#upTo({ generation, position }, true)
    yield* this.#upTo(end, false)
    if (this.#at.generation < generation) this.#lost += length
    else if (this.#at.position < end.position)
      this.#lost += end.position - Math.max(this.#at.position, position)
    this.#move(end)
  }

  /** Holds what has been begun since, so that a slow reader does not miss it. */
  prefetch(): void {
    const turns = this.#turns()
    if (turns === null || turns % 2 === 1) return
    // Older ones than the number of files allows are gone, if there ever were so many.
    const first = Math.max(this.#at.generation, ...this.#held.keys(), turns / 2 - this.#files.count) + 1
    for (let next = first; next <= turns / 2 && this.#held.size < maxHeld; next++) this.#file(next)
  }

  /** What has no record, up to a place. */
  rest(end: Place): Generator<Piece, void> {
    return this.#upTo(end, true)
  }

  /** The same up to the newest there is, by what the files are and not by what anybody says of them. */
  *remaining(): Generator<Piece, void> {
    const { generation } = this.#at
    yield* this.#upTo({ generation, position: Number.POSITIVE_INFINITY }, true)
    const opened = this.#files.openAll()
    const known = opened.findIndex(({ identity }) => identity === this.#identity)
    const newer = opened.slice(known + 1)
    for (const old of opened.slice(0, known + 1)) closeSync(old.fd)
    if (newer.length === 0) return
    this.close()
    for (const [index, file] of newer.entries()) this.#held.set(generation + 1 + index, file)
    // After it nobody asks by generation any more, or the index has said nothing for long.
    for (const index of newer.keys()) {
      this.#move({ generation: generation + 1 + index, position: 0 })
      yield* this.#upTo({ generation: generation + 1 + index, position: Number.POSITIVE_INFINITY }, true)
    }
  }

  /** Whether there is something behind the present place in the file at hand, or another file. */
  get isBehind(): boolean {
    const current = this.#held.get(this.#at.generation)
    if (current === undefined) return true
    return (
      fstatSync(current.fd).size !== this.#at.position ||
      (this.#files.count > 1 && !this.#files.is(0, current))
    )
  }

  close(): void {
    for (const { fd } of this.#held.values()) closeSync(fd)
    this.#held.clear()
    this.#block = null
  }

  *#upTo(end: Place, unplaced: boolean): Generator<Piece, void> {
    while (this.#at.generation < end.generation) {
      yield* this.#inFile(Number.POSITIVE_INFINITY, unplaced)
      // Of those in between there is none that is older than the number of files allows.
      const next = Math.max(this.#at.generation + 1, end.generation - this.#files.count)
      this.#move({ generation: next, position: 0 })
    }
    if (this.#at.generation === end.generation) yield* this.#inFile(end.position, unplaced)
  }

  *#inFile(end: number, unplaced: boolean): Generator<Piece, void> {
    const { generation } = this.#at
    const file = this.#file(generation)
    if (file === null) return
    this.#identity = file.identity
    // Cut by whoever may write it: it goes on from its new beginning.
    if (this.#files.count === 1 && fstatSync(file.fd).size < this.#at.position)
      this.#at = { generation, position: 0 }
    while (this.#at.position < end) {
      const bytes = this.#bytes(file.fd, this.#at.position, end - this.#at.position)
      if (bytes.length === 0) return
      this.#at = { generation, position: this.#at.position + bytes.length }
      const lost = this.#lost
      this.#lost = 0
      yield { bytes, unplaced, ...(lost > 0 && { lost }) }
    }
  }

  /** Records of a chatty log are short: they are read by the block. */
  #bytes(fd: number, position: number, max: number): Buffer {
    const block = this.#block
    const offset = position - (block?.from ?? 0)
    if (block?.fd === fd && offset >= 0 && offset < block.bytes.length)
      return block.bytes.subarray(offset, Math.min(block.bytes.length, offset + max))
    const bytes = Buffer.allocUnsafe(largestChunk)
    const count = readSync(fd, bytes, 0, bytes.length, position)
    this.#block = { fd, from: position, bytes: bytes.subarray(0, count) }
    return this.#block.bytes.subarray(0, Math.min(count, max))
  }

  #move(to: Place): void {
    this.#at = to
    if (this.#mark !== null) return
    for (const [generation, { fd }] of this.#held) {
      if (generation >= to.generation) continue
      closeSync(fd)
      this.#held.delete(generation)
      if (this.#block?.fd === fd) this.#block = null
    }
  }

  #file(generation: number): OpenedLog | null {
    const known = this.#held.get(generation)
    if (known !== undefined) return known
    const opened = this.#stable(turns => {
      const number = turns - generation
      return number < 0 || number >= this.#files.count ? null : this.#files.open(number)
    })
    if (opened !== null) this.#held.set(generation, opened)
    return opened
  }

  #openAll(): number {
    let generation = 0
    const opened = this.#stable(turns => {
      generation = turns
      return this.#files.openAll()
    })
    for (const file of opened) this.#held.set(generation - file.number, file)
    return generation
  }

  /**
   * What was found while nothing was rotated. A rotation takes microseconds; one that never ends is that of a
   * shim which was killed amid it.
   */
  #stable<Found extends OpenedLog | null | readonly OpenedLog[]>(find: (turns: number) => Found): Found {
    for (let attempt = 1; ; attempt++) {
      const before = this.#turns()
      const found = find(Math.floor((before ?? 0) / 2))
      const steady = before === null || before % 2 === 0 || before === this.#amid
      if ((steady && before === this.#turns()) || attempt === attempts) {
        this.#amid = before
        return found
      }
      for (const one of Array.isArray(found) ? found : [found])
        if (one !== null) closeSync((one as OpenedLog).fd)
    }
  }
}

export const isBefore = (one: Place, two: Place): boolean =>
  one.generation < two.generation || (one.generation === two.generation && one.position < two.position)
