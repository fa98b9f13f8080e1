import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { anchored } from '../anchored.ts'
import { type HoldfastError } from '../errors.ts'
import { componentsOf, isUp } from './components.ts'
import { O_PATH } from './directory.ts'
import { shown } from './entry-name.ts'
import { linkRefused } from './failure.ts'
import { foreignIn } from './trust.ts'

// The kernel's own (MAXSYMLINKS, include/linux/namei.h).
const maxLinks = 40
const asDirectory = O_PATH | (constants.O_DIRECTORY ?? 0)
const noLink = constants.O_NOFOLLOW ?? 0

/**
 * open(2) of a path of the caller's, as open_trusted() of the native program: one component at a time, each
 * from the descriptor of the one before. Links that root or we have made are followed. One that a task, or
 * another user, could have put there (it lies in an allocation, or in a directory that somebody else may
 * write in) is refused, PERMISSION, named. Throws what open(2) says otherwise. Where there is no /proc, the
 * last component alone is no link.
 */
export function openTrusted(path: string, flags: number, mode = 0o640): number {
  return openFound(path, flags, mode).fd
}

/** The same, and whether it lies in an allocation, where tasks can have made it. */
export function openFound(path: string, flags: number, mode = 0o640): Found {
  if (!anchored) return { fd: openSync(path, flags | noLink, mode), inAllocation: false }
  const walk = new Walk(path)
  try {
    const fd = walk.open(flags, mode)
    return { fd, inAllocation: walk.inAllocation }
  } finally {
    walk.end()
  }
}

export type Found = { readonly fd: number; readonly inAllocation: boolean }

class Walk {
  readonly #path: string
  #at = -1
  inAllocation = false
  #links = 0

  constructor(path: string) {
    this.#path = path
  }

  open(flags: number, mode: number): number {
    this.#startAtRoot()
    // Not resolve()'s result: `..` after a link is the kernel's to say.
    const whole = this.#path.startsWith('/') ? this.#path : `${resolve('.')}/${this.#path}`
    let names = componentsOf(Buffer.from(whole))
    for (;;) {
      const [name, ...rest] = names
      if (name === undefined) return openSync(this.#child('.'), flags, mode)
      if (isUp(name) && this.inAllocation)
        throw this.#refused(name, 'it leads up from what an allocation holds')
      const entry = isUp(name) ? undefined : this.#linkAt(name)
      if (entry !== undefined) {
        if (rest.length === 0 && this.#isOwnDescriptors()) return openSync(this.#child(name), flags, mode)
        names = [...this.#behind(name, entry), ...rest]
      } else if (rest.length === 0 && !isUp(name)) return openSync(this.#child(name), flags | noLink, mode)
      else {
        this.#enter(this.#child(name))
        names = rest
      }
    }
  }

  end(): void {
    if (this.#at >= 0) closeSync(this.#at)
    this.#at = -1
  }

  #linkAt(name: Buffer): BigIntStats | undefined {
    const entry = lstatSync(this.#child(name), { bigint: true, throwIfNoEntry: false })
    return entry?.isSymbolicLink() ? entry : undefined
  }

  /** What the link says, when whoever made it is trusted. */
  #behind(name: Buffer, link: BigIntStats): Buffer[] {
    const wrong = this.inAllocation
      ? 'it is a link in an allocation, where tasks make them'
      : foreignIn(fstatSync(this.#at, { bigint: true }), link)
    if (wrong !== null) throw this.#refused(name, wrong)
    if (++this.#links > maxLinks) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
    const target = readlinkSync(this.#child(name), { encoding: 'buffer' })
    if (target[0] !== slash) return componentsOf(target)
    if (this.#place().startsWith('/proc/'))
      throw this.#refused(name, 'it is a link of /proc that leads anywhere')
    this.#startAtRoot()
    return componentsOf(target)
  }

  #startAtRoot(): void {
    this.#enter('/')
    this.inAllocation = false
  }

  #enter(path: string | Buffer): void {
    const next = openSync(path, asDirectory | noLink)
    this.end()
    this.#at = next
    this.inAllocation ||= isDirectory(this.#child('alloc/logs'))
  }

  #child(name: string | Buffer): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#at}/`), Buffer.from(name)])
  }

  /** /dev/stdout, /dev/fd/N: what is open already is the caller's. */
  #isOwnDescriptors(): boolean {
    return this.#place() === `/proc/${process.pid}/fd`
  }

  #place(): string {
    return readlinkSync(`/proc/self/fd/${this.#at}`)
  }

  #refused(name: Buffer, why: string): HoldfastError {
    const place = this.#place()
    const link = `${place === '/' ? '' : place}/${shown(name)}`
    return linkRefused(this.#path, link, why)
  }
}

/** What we may not look at is no allocation of ours, as for the native program. */
function isDirectory(path: Buffer): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

const slash = 0x2f
