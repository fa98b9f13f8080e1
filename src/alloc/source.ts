import type { BigIntStats } from 'node:fs'
import { lstat, readlink, realpath } from 'node:fs/promises'
import { HoldfastError } from '../errors.ts'
import { componentsOf, isUp } from './components.ts'
import { Directory } from './directory.ts'
import { type EntryName, shown } from './entry-name.ts'
import { errnoOf, linkRefused } from './failure.ts'
import { isDirectory } from './make-directories.ts'
import { foreignIn } from './trust.ts'

/**
 * Where a source lies: the directory is held open, and the name in it is no link that was followed. Null: the
 * source is `/`.
 */
export type Source = { readonly directory: Directory; readonly name: EntryName | null }

// The kernel's own (MAXSYMLINKS, include/linux/namei.h).
const maxLinks = 40

/**
 * Finds what an absolute path names, one component at a time, each reached through the descriptor of the one
 * before. Links that root or we have made are followed (/var/run); one is refused that a task, or another
 * user, could have put there: it lies in an allocation, in a directory that somebody else may write in, or is
 * one of /proc's that lead anywhere. The last component is not followed, unless a slash comes after it.
 * Resolves to null for what is not there. Rejects PERMISSION naming the link. The caller closes the
 * directory.
 */
export async function findSource(path: string): Promise<Source | null> {
  const walk = new Walk(path)
  try {
    return await walk.go()
  } catch (error) {
    const errno = errnoOf(error)
    if (!(error instanceof HoldfastError) && (errno === 'ENOENT' || errno === 'ENOTDIR')) return null
    throw error
  } finally {
    await walk.end()
  }
}

/**
 * A directory of the caller's by such a walk to its end; null: there is none. On Windows by its path: there a
 * task is no other user, and /proc no way to anchor anything.
 */
export async function findDirectory(path: string): Promise<Directory | null> {
  if (process.platform !== 'win32') return (await findSource(`${path}/`))?.directory ?? null
  return isDirectory(path) ? Directory.open(await realpath(path)) : null
}

class Walk {
  readonly #path: string
  #directory: Directory | null = null
  #inAllocation = false
  #links = 0

  constructor(path: string) {
    this.#path = path
  }

  async go(): Promise<Source> {
    await this.#startAtRoot()
    let names = componentsOf(Buffer.from(this.#path))
    // As everywhere, a slash after a link means what it leads to.
    const behind = /\/\.?$/.test(this.#path)
    for (;;) {
      const [name, ...rest] = names
      if (name === undefined || (rest.length === 0 && !isUp(name) && !behind))
        return { directory: this.#taken(), name: name ?? null }
      const target = await this.#step(name)
      names = target === null ? rest : [...componentsOf(target), ...rest]
    }
  }

  async end(): Promise<void> {
    await this.#directory?.close()
    this.#directory = null
  }

  /** One component on; or what the link there says. */
  async #step(name: Buffer): Promise<Buffer | null> {
    const at = this.#directory as Directory
    if (isUp(name)) {
      if (this.#inAllocation) throw this.#refused(at, name, 'it leads up from what an allocation holds')
      await this.#enter(name)
      return null
    }
    const entry = await lstat(at.at(name), { bigint: true })
    if (!entry.isSymbolicLink()) {
      await this.#enter(name)
      return null
    }
    const wrong = this.#inAllocation
      ? 'it is a link in an allocation, where tasks make them'
      : foreignIn(await at.stat(), entry)
    if (wrong !== null) throw this.#refused(at, name, wrong)
    if (++this.#links > maxLinks) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
    const target = await readlink(at.at(name), { encoding: 'buffer' })
    if (target[0] !== slash) return target
    if (at.path.startsWith('/proc/'))
      throw this.#refused(at, name, 'it is a link of /proc that leads anywhere')
    await this.#startAtRoot()
    return target
  }

  async #enter(name: Buffer): Promise<void> {
    const left = this.#directory as Directory
    this.#directory = await left.enter(name, 'pass')
    await left.close()
    this.#inAllocation ||= await isAllocation(this.#directory)
  }

  async #startAtRoot(): Promise<void> {
    await this.end()
    this.#inAllocation = false
    this.#directory = await Directory.open('/', 'pass')
  }

  #taken(): Directory {
    const directory = this.#directory as Directory
    this.#directory = null
    return directory
  }

  #refused(at: Directory, name: Buffer, why: string): HoldfastError {
    const link = shown(`${at.path === '/' ? '' : at.path}/${shown(name)}`)
    return linkRefused(this.#path, link, why)
  }
}

/** Known by what it holds and no task can take away: `alloc/logs`. */
async function isAllocation(directory: Directory): Promise<boolean> {
  const logs: BigIntStats | null = await lstat(directory.at('alloc/logs'), { bigint: true }).catch(() => null)
  return logs?.isDirectory() ?? false
}

const slash = 0x2f
