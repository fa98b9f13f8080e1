import { mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { makeDirectories } from '../../alloc/make-directories.ts'
import { HoldfastError } from '../../errors.ts'
import { unlinkIfThere } from '../../if-there.ts'
import { assertTrustedPath } from '../trusted-tree.ts'
import { type Claim, parseClaim } from './claim.ts'

/** `generation`: how often the number has changed hands; -1: never. */
export type Entry = { readonly generation: number; readonly claim: Claim | 'unreadable' | null }

const free = 'free'

/**
 * Who has which number, for all supervisors of this host:
 *
 *     <path>/               0700, root's
 *       1879048192/         one number
 *         3                 a symbolic link, whose text says who has it
 *
 * Each change makes the link of the next generation: symlink(2) makes it whole or not at all, and refuses one
 * that is there, so that of two who have seen the same generation one succeeds. No lock is held, and none is
 * left by who is killed. Links are read, never followed.
 */
export class Registry {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Throws PERMISSION where somebody else could write in it. */
  prepare(): void {
    makeDirectories(this.path, 0o700)
    assertTrustedPath(this.path)
  }

  /** The numbers that have ever been given out. */
  numbers(): number[] {
    return namesIn(this.path)
      .filter(name => /^\d{1,10}$/.test(name))
      .map(Number)
  }

  read(number: number): Entry {
    for (;;) {
      const generation = this.#newest(number)
      if (generation < 0) return { generation, claim: null }
      const written = this.#text(number, generation)
      // Replaced between the two.
      if (written === null) continue
      return { generation, claim: written === free ? null : parseClaim(written) }
    }
  }

  /** False: somebody else was quicker, or has it. `seen`: the generation that the decision was made by. */
  replace(number: number, seen: number, claim: Claim | null): boolean {
    const generation = seen + 1
    const link = `${this.#directory(number)}/${generation}`
    if (!this.#make(number, link, claim === null ? free : JSON.stringify(claim))) return false
    // Where it has changed hands twice since it was looked at, the name was free again: the newest is never
    // removed, and a directory this small is listed in one call.
    if (this.#newest(number) !== generation) {
      unlinkIfThere(link)
      return false
    }
    for (const older of this.#generations(number))
      if (older < generation) unlinkIfThere(`${this.#directory(number)}/${older}`)
    return true
  }

  #make(number: number, link: string, text: string): boolean {
    try {
      symlinkSync(text, link)
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return false
      if (code === 'ENAMETOOLONG') throw this.#tooLong(number, text)
      if (code !== 'ENOENT') throw error
      mkdirSync(this.#directory(number), { recursive: true, mode: 0o700 })
      return this.#make(number, link, text)
    }
  }

  /** 4,095 bytes on most file systems, 1,024 on xfs. */
  #tooLong(number: number, text: string): HoldfastError {
    const bytes = Buffer.byteLength(text)
    return new HoldfastError(
      'UNSUPPORTED',
      `command.user: "own" cannot be had: where files of user ${number} can be left takes ${bytes} bytes to write down, which is more than a symbolic link may have in ${this.path}`,
      {
        stage: 'user',
        path: this.path,
        hint: 'mount fewer directories writable, or one that holds them; or put the registry (ownUsers) on ext4',
      },
    )
  }

  #text(number: number, generation: number): string | null {
    try {
      return readlinkSync(`${this.#directory(number)}/${generation}`)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return null
      if (code === 'EINVAL') return ''
      throw error
    }
  }

  #newest(number: number): number {
    return Math.max(-1, ...this.#generations(number))
  }

  #generations(number: number): number[] {
    return namesIn(this.#directory(number))
      .filter(name => /^\d{1,15}$/.test(name))
      .map(Number)
  }

  #directory(number: number): string {
    return `${this.path}/${number}`
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
