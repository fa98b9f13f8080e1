import { constants, existsSync } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from './failure.ts'

// O_PATH is not among Node's constants; the number is that of every Linux architecture Node runs on.
const O_PATH = 0x200000
const asDirectory = (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/**
 * Node has no openat(2). On Linux a name looked up below /proc/self/fd/N starts at the directory that descriptor holds, whatever
 * its path has become meanwhile: the same guarantee. Elsewhere paths are used, and a directory may be swapped between check and use.
 */
const anchored = process.platform === 'linux' && existsSync('/proc/self/fd')

/** A directory held open, so that nobody can put a link in its place while we work in it. */
export class Directory {
  readonly path: string
  readonly #handle: FileHandle | null

  private constructor(path: string, handle: FileHandle | null) {
    this.path = path
    this.#handle = handle
  }

  /** Rejects with ENOTDIR or ELOOP if the last component is a link or no directory. */
  static open(path: string): Promise<Directory> {
    return openAs(path, path, (shown, handle) => new Directory(shown, handle))
  }

  /** Opens a child. Rejects with ENOTDIR or ELOOP if it is a link or no directory. */
  enter(name: string): Promise<Directory> {
    return openAs(this.at(name), join(this.path, name), (shown, handle) => new Directory(shown, handle))
  }

  /** Opens a child, made with exactly `mode` if it is absent. One that is there keeps its mode, unless `force`. */
  async make(name: string, mode: number, force = false): Promise<Directory> {
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
    await (this.#handle ? this.#handle.chmod(mode) : chmod(this.path, mode))
  }

  /** A path at which the file system finds the child `name` of this very directory. */
  at(name: string): string {
    return this.#handle ? `/proc/self/fd/${this.#handle.fd}/${name}` : join(this.path, name)
  }

  /** A path for this very directory. */
  get self(): string {
    return this.#handle ? `/proc/self/fd/${this.#handle.fd}/` : this.path
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
export async function regainDirectory(path: string): Promise<void> {
  if (!anchored) return
  const handle = await open(path, O_PATH | asDirectory)
  try {
    await chmod(`/proc/self/fd/${handle.fd}`, 0o700)
  } finally {
    await handle.close()
  }
}

async function openAs<T>(
  path: string,
  shown: string,
  wrap: (shown: string, handle: FileHandle | null) => T,
): Promise<T> {
  if (anchored) return wrap(shown, await open(path, constants.O_RDONLY | asDirectory))
  if ((await lstat(path)).isDirectory()) return wrap(shown, null)
  throw Object.assign(new Error(`ENOTDIR: not a directory, open '${path}'`), { code: 'ENOTDIR' })
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, 0o700)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}
