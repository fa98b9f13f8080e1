import { type BigIntStats, closeSync, constants, fchmodSync, fstatSync } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, opendir } from 'node:fs/promises'
import { anchored } from '../anchored.ts'
import { type EntryName, joined, shown } from './entry-name.ts'
import { errnoOf } from './failure.ts'

// O_PATH is not among Node's constants; the number is that of every Linux architecture Node runs on.
export const O_PATH = 0x200000
const asDirectory = (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** `pass`: only to reach what is below, which takes no right to list it. */
type Use = 'list' | 'pass'

type Handle = Pick<FileHandle, 'fd' | 'chmod' | 'close'> & {
  stat(options: { bigint: true }): Promise<BigIntStats>
}

/** A directory held open, so that nobody can put a link in its place while we work in it. */
export class Directory {
  /** For people. */
  readonly path: string
  readonly #location: EntryName
  readonly #handle: Handle | null

  private constructor(location: EntryName, path: string, handle: Handle | null) {
    this.path = path
    this.#location = location
    this.#handle = handle
  }

  /** Rejects with ENOTDIR or ELOOP if the last component is a link or no directory. */
  static async open(path: string, use: Use = 'list'): Promise<Directory> {
    return new Directory(path, path, await handleOf(path, use))
  }

  /** One that is open already, which close() closes; `fd` null: it is at `path`. */
  static taken(fd: number | null, path: string): Directory {
    return new Directory(path, path, fd === null ? null : handleOn(fd))
  }

  /** Opens a child. Rejects with ENOTDIR or ELOOP if it is a link or no directory. */
  async enter(name: EntryName, use: Use = 'list'): Promise<Directory> {
    const handle = await handleOf(this.at(name), use)
    return new Directory(joined(this.#location, name), shown(joined(this.path, name)), handle)
  }

  /**
   * Opens a child, made with exactly `mode` if it is absent. One that is there keeps its mode, unless
   * `force`.
   */
  async make(name: EntryName, mode: number, force = false): Promise<Directory> {
    const made = await makeDirectory(this.at(name))
    const child = await this.enter(name)
    try {
      // Not by mkdir's argument: the umask would take bits away.
      if (made || force) await child.chmod(mode)
      return child
    } catch (error) {
      await child.close()
      throw error
    }
  }

  async chmod(mode: number): Promise<void> {
    await (this.#handle ? this.#handle.chmod(mode) : chmod(this.#location, mode))
  }

  stat(): Promise<BigIntStats> {
    return this.#handle ? this.#handle.stat({ bigint: true }) : lstat(this.#location, { bigint: true })
  }

  /** The names in it, as bytes: what a task has made need be no UTF-8. */
  async *names(): AsyncGenerator<Buffer> {
    // Node's types know no such encoding here; Node does.
    const options = { encoding: 'buffer' as BufferEncoding }
    for await (const { name } of await opendir(this.self, options)) yield name as unknown as Buffer
  }

  /** A path at which the file system finds the child `name` of this very directory. */
  at(name: EntryName): EntryName {
    return joined(this.#handle ? `/proc/self/fd/${this.#handle.fd}` : this.#location, name)
  }

  /** A path for this very directory. */
  get self(): EntryName {
    return this.#handle ? `/proc/self/fd/${this.#handle.fd}/` : this.#location
  }

  /** The descriptor; null where paths have to do. */
  get fd(): number | null {
    return this.#handle?.fd ?? null
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }
}

/** Gives the owner's bits back to a directory whose task took them from its own user; follows no link. */
export async function regainDirectory(path: EntryName): Promise<void> {
  if (!anchored) return
  const handle = await open(path, O_PATH | asDirectory)
  try {
    await chmod(`/proc/self/fd/${handle.fd}`, 0o700)
  } finally {
    await handle.close()
  }
}

async function handleOf(path: EntryName, use: Use): Promise<Handle | null> {
  if (anchored) return open(path, (use === 'pass' ? O_PATH : constants.O_RDONLY) | asDirectory)
  if ((await lstat(path)).isDirectory()) return null
  throw Object.assign(new Error(`ENOTDIR: not a directory, open '${shown(path)}'`), { code: 'ENOTDIR' })
}

function handleOn(fd: number): Handle {
  return {
    fd,
    chmod: async mode => fchmodSync(fd, mode),
    close: async () => closeSync(fd),
    stat: async () => fstatSync(fd, { bigint: true }),
  }
}

async function makeDirectory(path: EntryName): Promise<boolean> {
  try {
    await mkdir(path, 0o700)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}
