import { closeSync, constants, writeSync } from 'node:fs'
import { openTrusted } from '../../index.ts'
import { fileRefused } from '../file-refused.ts'
import { errorDocument } from '../output/error-report.ts'
import { json } from '../output/escape.ts'

const toReplace = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC

/**
 * The file of --result. Opened before the task is started, so that a path that cannot be written costs no
 * run.
 */
export class ResultFile {
  readonly #path: string
  readonly #fd: number

  /** Throws INVALID_ARGUMENT. */
  constructor(path: string) {
    this.#path = path
    try {
      this.#fd = openTrusted(path, toReplace, 0o644)
    } catch (error) {
      throw fileRefused('--result', path, 'written', error)
    }
  }

  /** Writes what `work` resolves to, or the error it rejects with, and passes that on. */
  async of<Value>(work: Promise<Value>, document: (value: Value) => unknown): Promise<Value> {
    try {
      const value = await work
      this.#write(document(value))
      return value
    } catch (error) {
      this.#write({ error: errorDocument(error) })
      throw error
    } finally {
      closeSync(this.#fd)
    }
  }

  #write(document: unknown): void {
    const bytes = Buffer.from(`${json(document)}\n`)
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#fd, bytes, written)
    } catch (error) {
      throw fileRefused('--result', this.#path, 'written', error)
    }
  }
}
