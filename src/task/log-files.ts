import { closeSync, fstatSync } from 'node:fs'
import type { LogRotation } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { isLeased, logIdentity, openLogForReading, siblingFiles } from './log-reader.ts'

/** `number`: that it had when it was opened. */
export type OpenedLog = { readonly fd: number; readonly identity: string; readonly number: number }

/**
 * A log and its rotated predecessors, by number: 0 is the one being written, 1 the one before it. Whoever
 * rotates renames the oldest first, so that at any instant the files are in order, with one number missing at
 * most. Where files are numbered upwards and never renamed, the numbers here still count from the newest.
 */
export class LogFiles {
  readonly #target: FileTarget
  /** How many there can be. */
  readonly count: number
  readonly #numbering: LogRotation['numbering']

  constructor(target: FileTarget, count: number, numbering: LogRotation['numbering'] = 'shift') {
    this.#target = target
    this.count = count
    this.#numbering = numbering
  }

  /**
   * Null: there is none of this number. Throws as openLogForReading() does for number 0; what else lies in an
   * older one's place is skipped. A file under a lease is skipped in no place.
   */
  open(number: number): OpenedLog | null {
    try {
      const target = this.#numbered(number)
      const fd = target === null ? null : openLogForReading(target)
      return fd === null ? null : { fd, identity: identityOf(fd), number }
    } catch (error) {
      if (number === 0 || !(error instanceof HoldfastError) || isLeased(error)) throw error
      return null
    }
  }

  /** Whether this file has this number now. */
  is(number: number, { identity }: Pick<OpenedLog, 'identity'>): boolean {
    return this.#identity(number) === identity
  }

  /** Null: there is none. */
  #numbered(number: number): FileTarget | null {
    const { base, path } = this.#target
    if (this.#numbering === 'increment') {
      const increment = this.#increments()[number]
      return increment === undefined ? null : { base, path: `${path}.${increment}` }
    }
    return number === 0 ? this.#target : { base, path: `${path}.${number}` }
  }

  /** Of the names that are there, the newest first. */
  #increments(): number[] {
    return siblingFiles(this.#target)
      .flatMap(suffix => (/^\.(?:0|[1-9]\d{0,8})$/.test(suffix) ? Number(suffix.slice(1)) : []))
      .sort((one, other) => other - one)
  }

  #identity(number: number): string | null {
    try {
      const target = this.#numbered(number)
      return target === null ? null : logIdentity(target)
    } catch (error) {
      if (number === 0 || !(error instanceof HoldfastError)) throw error
      return null
    }
  }

  /** All of them, the oldest first, to be closed by the caller. */
  openAll(): OpenedLog[] {
    for (let attempt = 1; ; attempt++) {
      const opened = this.#openEach()
      // Nothing was renamed while they were opened; or too much is, and what falls out of the number of files
      // is lost anyway.
      const stable = this.count === 1 || opened.every((one, number) => this.#isStill(number, one))
      if (stable || attempt === 10) return distinct(opened).reverse()
      for (const one of opened) if (one !== null) closeSync(one.fd)
    }
  }

  #openEach(): (OpenedLog | null)[] {
    const opened: (OpenedLog | null)[] = []
    try {
      for (let number = 0; number < this.count; number++) opened.push(this.open(number))
      return opened
    } catch (error) {
      for (const one of opened) if (one !== null) closeSync(one.fd)
      throw error
    }
  }

  #isStill(number: number, opened: OpenedLog | null): boolean {
    return this.#identity(number) === (opened?.identity ?? null)
  }
}

function distinct(opened: readonly (OpenedLog | null)[]): OpenedLog[] {
  const known = new Map<string, OpenedLog>()
  for (const one of opened) {
    if (one === null) continue
    if (known.has(one.identity)) closeSync(one.fd)
    else known.set(one.identity, one)
  }
  return [...known.values()]
}

/** While it is open nobody else can have it. */
function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return `${dev}:${ino}`
}
