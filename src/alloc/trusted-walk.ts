import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs'
import { anchored } from '../anchored.ts'
import type { HoldfastError } from '../errors.ts'
import { componentsOf, isUp } from './components.ts'
import { O_PATH } from './directory.ts'
import { type EntryName, joined, shown } from './entry-name.ts'
import { linkRefused } from './failure.ts'
import { foreignIn } from './trust.ts'

// The kernel's own (MAXSYMLINKS, include/linux/namei.h).
const maxLinks = 40
const asDirectory = O_PATH | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/**
 * What becomes of the last component. `enter`: the directory that it names is entered. `keep`: it is not
 * looked at, as a link that is itself meant. `follow`: it is kept, unless it is a link, which is followed.
 */
export type Last = 'enter' | 'keep' | 'follow'

/**
 * The one walk of an absolute path of a caller's, one component at a time, each reached through the
 * descriptor of the one before, as walk_open() of the native program. Links that root or we have made are
 * followed (/var/run); one is refused that a task, or another user, could have put there: it lies in an
 * allocation, in a directory that somebody else may write in, or is one of /proc's that lead anywhere. Where
 * there is no /proc, by paths. Holds a descriptor until end().
 */
export class TrustedWalk {
  readonly #path: string
  /** Where it is: null: paths have to do. */
  #fd: number | null = null
  #location: EntryName = '/'
  #links = 0
  /** Whether what it has come to lies in an allocation, where tasks can have made it. */
  inAllocation = false

  constructor(path: string) {
    this.#path = path
  }

  /**
   * To the directory that holds the last component. Returns that component; null: it is the directory itself.
   * Throws what the kernel says of what cannot be entered, and PERMISSION naming the link.
   */
  to(last: Last): Buffer | null {
    this.#startAtRoot()
    let names = componentsOf(Buffer.from(this.#path))
    for (;;) {
      const [name, ...rest] = names
      if (name === undefined) return null
      const isLast = rest.length === 0
      if (isLast && last === 'keep' && !isUp(name)) return name
      if (isUp(name) && this.inAllocation)
        throw this.#refused(name, 'it leads up from what an allocation holds')
      const link = isUp(name) ? undefined : this.#linkAt(name)
      if (link !== undefined) {
        if (isLast && last === 'follow' && this.#isOwnDescriptors()) return name
        names = [...this.#behind(name, link), ...rest]
      } else if (isLast && last === 'follow' && !isUp(name)) return name
      else {
        this.#enter(this.at(name))
        names = rest
      }
    }
  }

  /** A path at which the file system finds that name in the directory it has come to. */
  at(name: EntryName): EntryName {
    return joined(this.#fd === null ? this.#location : `/proc/self/fd/${this.#fd}`, name)
  }

  /** The directory it has come to, for people. */
  get place(): string {
    if (this.#fd === null) return shown(this.#location)
    return shown(readlinkSync(`/proc/self/fd/${this.#fd}`, { encoding: 'buffer' }))
  }

  /** The descriptor of that directory, which is the caller's to close; null: paths have to do. */
  take(): number | null {
    const fd = this.#fd
    this.#fd = null
    return fd
  }

  /** Whether the name it has come to is a link all the same: /dev/stdout, /dev/fd/N. */
  isOwnDescriptor(name: Buffer): boolean {
    return this.#isOwnDescriptors() && this.#linkAt(name) !== undefined
  }

  end(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #linkAt(name: Buffer): BigIntStats | undefined {
    const entry = lstatSync(this.at(name), { bigint: true, throwIfNoEntry: false })
    return entry?.isSymbolicLink() ? entry : undefined
  }

  /** What the link says, when whoever made it is trusted. */
  #behind(name: Buffer, link: BigIntStats): Buffer[] {
    const wrong = this.inAllocation
      ? 'it is a link in an allocation, where tasks make them'
      : foreignIn(this.#stat(), link)
    if (wrong !== null) throw this.#refused(name, wrong)
    if (++this.#links > maxLinks) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
    const target = readlinkSync(this.at(name), { encoding: 'buffer' })
    if (target[0] !== slash) return componentsOf(target)
    if (this.place.startsWith('/proc/'))
      throw this.#refused(name, 'it is a link of /proc that leads anywhere')
    this.#startAtRoot()
    return componentsOf(target)
  }

  #stat(): BigIntStats {
    return this.#fd === null
      ? lstatSync(this.#location, { bigint: true })
      : fstatSync(this.#fd, { bigint: true })
  }

  #startAtRoot(): void {
    this.#enter('/')
    this.inAllocation = false
  }

  #enter(location: EntryName): void {
    if (anchored) {
      const next = openSync(location, asDirectory)
      this.end()
      this.#fd = next
    } else {
      if (!lstatSync(location).isDirectory())
        throw Object.assign(new Error(`ENOTDIR: not a directory, open '${shown(location)}'`), {
          code: 'ENOTDIR',
        })
      this.#location = location
    }
    this.inAllocation ||= isDirectory(this.at('alloc/logs'))
  }

  /** What is open already is the caller's. */
  #isOwnDescriptors(): boolean {
    return this.#fd !== null && this.place === `/proc/${process.pid}/fd`
  }

  #refused(name: Buffer, why: string): HoldfastError {
    const { place } = this
    return linkRefused(this.#path, `${place === '/' ? '' : place}/${shown(name)}`, why)
  }
}

/**
 * An allocation is known by what it holds and no task can take away: `alloc/logs`. What we may not look at is
 * none of ours, as for the native program.
 */
function isDirectory(path: EntryName): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

const slash = 0x2f
