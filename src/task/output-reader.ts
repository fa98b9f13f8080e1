import type { LogOptions, LogRotation, OutputChunk } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { LogFiles } from './log-files.ts'
import { beginningOf, type LogSource } from './log-stream.ts'
import { isBefore, OutputFiles, type Piece, type Place } from './output-files.ts'
import { indexPath, OutputIndex, type OutputRecord } from './output-index.ts'

const prefetchMs = 10

export type OutputStream = 'stdout' | 'stderr'

export type OutputSource = Pick<LogSource, 'writing' | 'onEnd' | 'hold'> & {
  /** Each stream's log, known once the task has been launched, and how many files there can be of it. */
  readonly log: (stream: OutputStream) => {
    readonly target: FileTarget
    readonly files: number
    readonly numbering?: LogRotation['numbering']
  }
  /** Where the index lies. */
  readonly dir: string
  /**
   * How many files there can be of it; 0: the task writes its logs itself, so that nobody knows their order.
   */
  readonly indexFiles: () => number
}

/** Merges the streams by the index. */
export class OutputReader {
  readonly #source: OutputSource
  readonly #since: number
  readonly #streams = new Map<OutputStream, OutputFiles>()
  /** Where each one ended when we began. */
  readonly #ends = new Map<OutputStream, Place>()
  readonly #plain = new Set<OutputStream>()
  #index: OutputIndex | null
  #pending: readonly OutputRecord[] = []
  #prefetchedAt = 0
  #closed = false
  /** Of the last record. */
  #at: number | null = null

  constructor(source: OutputSource, only: readonly OutputStream[], options: LogOptions) {
    this.#source = source
    this.#since = options.since?.getTime() ?? Number.NEGATIVE_INFINITY
    this.#index = this.#openIndex()
    try {
      this.#openLogs(only, options)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #openIndex(): OutputIndex | null {
    const count = this.#source.indexFiles()
    return count === 0 ? null : new OutputIndex(this.#source.dir, count)
  }

  #openLogs(only: readonly OutputStream[], options: LogOptions): void {
    const unreadable: unknown[] = []
    for (const stream of this.#distinct(only)) {
      const { target, files, numbering } = this.#source.log(stream)
      const turns = () => this.#index?.turns()?.[stream] ?? null
      const log = new OutputFiles(new LogFiles(target, files, numbering), turns)
      try {
        this.#ends.set(stream, log.begin(beginningOf(options)))
        this.#streams.set(stream, log)
        if (files === 1 || this.#index === null) this.#plain.add(stream)
      } catch (error) {
        log.close()
        // A FIFO, or what is no file of ours: its bytes are not kept. The other's may be.
        if (!(error instanceof HoldfastError) || error.code !== 'UNSUPPORTED') throw error
        unreadable.push(error)
      }
    }
    if (this.#streams.size === 0 && unreadable.length > 0) throw unreadable[0]
  }

  /** Both streams in one file are one. */
  #distinct(only: readonly OutputStream[]): readonly OutputStream[] {
    const [one, two] = [this.#source.log('stdout').target, this.#source.log('stderr').target]
    const same = one.base === two.base && one.path === two.path && only.includes('stdout')
    return same ? only.filter(stream => stream === 'stdout') : only
  }

  watched(): FileTarget[] {
    const logs = [...this.#streams.keys()].map(stream => this.#source.log(stream).target)
    const index = this.#index === null ? [] : [{ base: null, path: indexPath(this.#source.dir) }]
    return this.#plain.size === this.#streams.size ? logs : [...logs, ...index]
  }

  /**
   * Also while whoever asked for the last piece is still busy with it. Says nothing of what fails: who reads
   * will find out.
   */
  prefetch(): void {
    if (this.#closed || performance.now() < this.#prefetchedAt + prefetchMs) return
    this.#prefetchedAt = performance.now()
    try {
      for (const log of this.#streams.values()) log.prefetch()
    } catch {
      // No descriptor left, or a log that cannot be read any more.
    }
  }

  mark(): void {
    for (const log of this.#streams.values()) log.mark()
  }

  rewind(): void {
    for (const log of this.#streams.values()) log.rewind()
    this.#index?.close()
    this.#index = this.#openIndex()
    this.#pending = []
  }

  /** Up to where it ended when we began. */
  *present(): Generator<OutputChunk, void> {
    const later: OutputRecord[] = []
    for (
      let records = this.#records(false);
      records.length > 0 && this.#isAwaited();
      records = this.#records(false)
    )
      for (const record of records) {
        const end = this.#ends.get(record.stream)
        const within = end === undefined ? null : clipped(record, end)
        if (within !== null) yield* this.#taken(within)
        if (within !== record) later.push(record)
      }
    this.#pending = later
    for (const [stream, log] of this.#streams) {
      const end = this.#ends.get(stream)
      if (end !== undefined) yield* this.#unplaced(stream, log.rest(end))
    }
  }

  #isAwaited(): boolean {
    return this.#streams.size > this.#plain.size
  }

  /** What has come since; null: nothing. */
  next(writing: boolean): Generator<OutputChunk, void> | null {
    const records = this.#records(writing)
    const plain = [...this.#plain].filter(stream => this.#streams.get(stream)?.isBehind)
    return records.length === 0 && plain.length === 0 ? null : this.#news(records, plain)
  }

  *#news(records: readonly OutputRecord[], plain: readonly OutputStream[]): Generator<OutputChunk, void> {
    for (const record of records) yield* this.#taken(record)
    for (const stream of plain) yield* this.#remaining(stream)
  }

  /** What is there without a record, for so long that none will come. */
  *overdue(): Generator<OutputChunk, void> {
    for (const stream of this.#streams.keys())
      if (this.#streams.get(stream)?.isBehind) yield* this.#remaining(stream)
  }

  *remaining(): Generator<OutputChunk, void> {
    for (const stream of this.#streams.keys()) yield* this.#remaining(stream)
  }

  #remaining(stream: OutputStream): Generator<OutputChunk, void> {
    return this.#unplaced(stream, this.#streams.get(stream)?.remaining() ?? nothing())
  }

  close(): void {
    this.#closed = true
    this.#index?.close()
    for (const log of this.#streams.values()) log.close()
  }

  #records(writing: boolean): readonly OutputRecord[] {
    if (this.#pending.length > 0) {
      const pending = this.#pending
      this.#pending = []
      return pending
    }
    return this.#index?.read(writing) ?? []
  }

  *#taken(record: OutputRecord): Generator<OutputChunk, void> {
    const log = this.#streams.get(record.stream)
    if (log === undefined) return
    this.#at = record.at
    const at = new Date(record.at)
    for (const { bytes, unplaced, lost } of log.take(record, record.at < this.#since)) {
      const flags = { ...(unplaced && { unordered: true as const }), ...(lost !== undefined && { lost }) }
      yield { stream: record.stream, at, bytes, ...flags }
    }
  }

  /** Not before the last record that has said something. */
  *#unplaced(stream: OutputStream, pieces: Generator<Piece, void>): Generator<OutputChunk, void> {
    const at = new Date(Math.max(this.#at ?? 0, Date.now()))
    for (const { bytes } of pieces) yield { stream, at, bytes, unordered: true }
  }
}

function* nothing(): Generator<Piece, void> {}

/** The part of a record that lies before `end`; null: none does. */
function clipped(record: OutputRecord, end: Place): OutputRecord | null {
  const { generation, position, length } = record
  if (!isBefore({ generation, position }, end)) return null
  if (generation < end.generation) return record
  return { ...record, length: Math.min(length, end.position - position) }
}
