import { closeSync, openSync, readSync } from 'node:fs'

/** For all files, one after the other. Grows for io.stat of very many devices. */
let buffer = Buffer.allocUnsafe(16 * 1024)

/**
 * A file of a cgroup that is looked at again and again. To open and close it costs several times what reading
 * it does, so that it can be kept open. A descriptor does not keep its cgroup from being removed, and says
 * ENODEV from then on, whichever cgroup has that path by then.
 */
export class CgroupFile {
  readonly #path: string
  #keep = false
  #fd: number | null = null
  #absent = false

  constructor(path: string) {
    this.#path = path
  }

  /**
   * From the next look on it stays open, until close(). When it is not there, it is not looked for again
   * before retry().
   */
  keep(): void {
    this.#keep = true
  }

  get kept(): boolean {
    return this.#keep
  }

  retry(): void {
    this.#absent = false
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  /** Null when there is no such file (any more). */
  text(): string | null {
    const length = this.#read()
    return length < 0 ? null : buffer.toString('latin1', 0, length)
  }

  /** Of a file that holds one number; null for anything else in it, such as `max`. */
  number(): number | null {
    const length = this.#read()
    return length < 0 ? null : numberOf(length)
  }

  /**
   * How much is in the buffer now, or -1. The kernel makes such a file up as one record, and hands out all of
   * it where there is room.
   */
  #read(): number {
    if (this.#absent) return -1
    try {
      this.#fd ??= openSync(this.#path, 'r')
      for (;;) {
        const length = readSync(this.#fd, buffer, 0, buffer.length, 0)
        if (length < buffer.length) return length
        buffer = Buffer.allocUnsafe(2 * buffer.length)
      }
    } catch (error) {
      this.#absent = this.#keep && isAbsent(error as NodeJS.ErrnoException)
      this.close()
      return -1
    } finally {
      if (!this.#keep) this.close()
    }
  }
}

/**
 * And not that there is no descriptor left, which passes. EOPNOTSUPP: a kernel that was started without PSI.
 */
function isAbsent({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP'
}

const [zero, nine, newline] = [0x30, 0x39, 0x0a]

/** Without a string for each of some hundred numbers. */
function numberOf(length: number): number | null {
  const end = buffer[length - 1] === newline ? length - 1 : length
  if (end <= 0) return null
  let value = 0
  for (let at = 0; at < end; at++) {
    const digit = buffer[at] ?? 0
    if (digit < zero || digit > nine) return null
    value = value * 10 + (digit - zero)
  }
  return value
}
