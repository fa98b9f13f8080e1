import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { HistoryEntry } from '../api.ts'
import { readEgressHistory } from './egress.ts'

/** From here on only changes of state are written, of which a life has four. */
const fullBytes = 64 * 1024
/** More is not ours. */
const maxBytes = 4 * fullBytes
const maxWaiting = 100

export const journalName = 'journal.ndjson'

/**
 * What happened to a task, a line each, beside its records: for people and for replay. Nothing is decided by
 * it, and no failure to write it is anybody's trouble: what a full disk refuses is written later, or by the
 * next supervisor of the task, or not at all.
 */
export class Journal {
  readonly #dir: string
  #waiting: HistoryEntry[] = []
  /** The numbers that are written or waiting. Null: not looked yet, somebody else may have written. */
  #known: Set<number> | null
  /** The last line may be half a one. */
  #torn = false
  /** Nobody has written to it yet. */
  #isNew: boolean

  /** `fresh`: nobody has written to it before. */
  constructor(dir: string, fresh: boolean) {
    this.#dir = dir
    this.#known = fresh ? new Set() : null
    this.#isNew = fresh
  }

  get #path(): string {
    return join(this.#dir, journalName)
  }

  /** Keeps it until the next flush. False: it is there already. */
  add(entry: HistoryEntry): boolean {
    const { sequence } = entry
    if (sequence === null) {
      if (this.#waiting.length < maxWaiting) this.#waiting.push(entry)
      return true
    }
    const known = this.#numbers()
    if (known.has(sequence)) return false
    known.add(sequence)
    this.#waiting.push(entry)
    return true
  }

  /** Appends what waits. True: something was written. Never throws. */
  flush(): boolean {
    if (this.#waiting.length === 0) return false
    try {
      if (!this.#isNew || !begin(this.#path, this.#waiting)) append(this.#path, this.#waiting, this.#torn)
      this.#isNew = false
      this.#waiting = []
      this.#torn = false
      return true
    } catch {
      this.#isNew = false
      this.#torn = true
      return false
    }
  }

  /** What is written and what waits to be. */
  read(): HistoryEntry[] {
    return merged(inOrder([...readJournal(this.#path), ...this.#waiting]), readEgressHistory(this.#dir))
  }

  #numbers(): Set<number> {
    if (this.#known !== null) return this.#known
    const text = readText(this.#path)
    this.#torn = text !== '' && !text.endsWith('\n')
    this.#known = new Set(parseLines(text).flatMap(({ sequence }) => sequence ?? []))
    return this.#known
  }
}

/**
 * The journal in a task's directory, in order, each change of state once: two supervisors may both have
 * written it. Empty where there is none.
 */
export function readHistory(dir: string): HistoryEntry[] {
  return merged(inOrder(readJournal(join(dir, journalName))), readEgressHistory(dir))
}

/** What was decided of the network goes where its time is: nothing but that says what it came after. */
function merged(entries: readonly HistoryEntry[], decisions: HistoryEntry[]): HistoryEntry[] {
  const rest = [...decisions]
  const before = (at: Date): HistoryEntry[] => {
    const later = rest.findIndex(decision => decision.at > at)
    return rest.splice(0, later === -1 ? rest.length : later)
  }
  const all = entries.flatMap(entry => [...before(entry.at), entry])
  return [...all, ...rest]
}

function readJournal(path: string): HistoryEntry[] {
  return parseLines(readText(path))
}

/** The first lines, in a file that is made for them. False: it is there already. */
function begin(path: string, entries: readonly HistoryEntry[]): boolean {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants
  let fd: number
  try {
    fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    write(fd, linesOf(entries))
    return true
  } finally {
    closeSync(fd)
  }
}

/** One write, at the end of the file: the lines of two supervisors do not mix. */
function append(path: string, entries: readonly HistoryEntry[], torn: boolean): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) throw new Error('it is no plain file')
    const full = stats.size >= fullBytes
    const lines = linesOf(entries.filter(({ sequence }) => !full || sequence !== null))
    write(fd, torn ? `\n${lines}` : lines)
  } finally {
    closeSync(fd)
  }
}

function linesOf(entries: readonly HistoryEntry[]): string {
  return entries.map(entry => `${JSON.stringify(entry)}\n`).join('')
}

function write(fd: number, text: string): void {
  const bytes = Buffer.from(text)
  if (writeSync(fd, bytes) < bytes.length) throw new Error('the disk is full')
}

/** Nothing of it is trusted: the file may be torn, damaged, or as large as the disk. */
function readText(path: string): string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stats = fstatSync(fd)
      if (!stats.isFile()) return ''
      const { size } = stats
      if (size <= maxBytes) return readFileSync(fd, 'utf8')
      const buffer = Buffer.alloc(maxBytes)
      return buffer.toString('utf8', 0, readSync(fd, buffer))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

function parseLines(text: string): HistoryEntry[] {
  return text.split('\n').flatMap(line => {
    if (line === '') return []
    try {
      const entry = JSON.parse(line) as HistoryEntry
      const at = new Date(entry.at)
      return isEntry(entry) && !Number.isNaN(at.getTime()) ? [{ ...entry, at }] : []
    } catch {
      return []
    }
  })
}

function isEntry({ sequence, from, to, event }: HistoryEntry): boolean {
  return (
    (sequence === null || Number.isSafeInteger(sequence)) &&
    [from, to, event].every(word => typeof word === 'string')
  )
}

/**
 * Changes by their numbers, the first writer of each having the word; other events where they were written.
 */
function inOrder(entries: readonly HistoryEntry[]): HistoryEntry[] {
  const seen = new Set<number>()
  const places: { place: number; entry: HistoryEntry }[] = []
  let last = 0
  for (const entry of entries) {
    if (entry.sequence !== null && seen.has(entry.sequence)) continue
    if (entry.sequence !== null) seen.add(entry.sequence)
    last = Math.max(last, entry.sequence ?? 0)
    places.push({ place: entry.sequence ?? last, entry })
  }
  return places.sort((a, b) => a.place - b.place).map(({ entry }) => entry)
}
