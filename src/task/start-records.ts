import type { StartRecord, StoredSnapshot } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { readStart } from '../spawn/records.ts'

/**
 * The start record of one task: what was read of it last, and what the machine remembers where it is gone.
 */
export class StartRecords {
  readonly #dir: string
  readonly #snapshot: () => StoredSnapshot | null
  #last: StartRecord | null = null

  constructor(dir: string, snapshot: () => StoredSnapshot | null) {
    this.#dir = dir
    this.#snapshot = snapshot
  }

  /**
   * Reads it from the directory; null: there is none, or it cannot be believed. Throws where it cannot be
   * read now.
   */
  read(): StartRecord | null {
    const start = readStart(this.#dir)
    if (start === null || 'corrupt' in start) return null
    this.#last = start
    return start
  }

  /** The one that was read last; read now if none was. Throws as read() does. */
  get(): StartRecord | null {
    return this.#last ?? this.read()
  }

  /** As get(). Throws LOST where there is none. */
  require(): StartRecord {
    const start = this.get()
    if (start === null) throw new HoldfastError('LOST', 'the start record of the task is gone')
    return start
  }

  /**
   * The processes of the task by whatever names them, also when the record is gone or cannot be read now.
   * Never throws.
   */
  known(): StartRecord | null {
    const remembered = this.#last ?? this.#snapshot()?.context.start
    if (remembered) return remembered
    try {
      return this.read()
    } catch {
      return null
    }
  }
}
