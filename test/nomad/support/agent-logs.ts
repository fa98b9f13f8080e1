import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Reads a task's log as a client does for `nomad alloc logs -f`, of which it is a model
 * (client/fs_endpoint.go of Nomad): files are known by `<task>.<stream>.<index>` alone, an entry of such a
 * name with no number is an error of the whole log, the lowest index comes first, and one that is at its end
 * is left for good when there is a higher one.
 */
export class AgentLogs {
  readonly #directory: string
  readonly #prefix: string
  #at: { readonly index: number; readonly fd: number } | null = null
  text = ''

  constructor(allocation: string, task: string, stream: 'stdout' | 'stderr') {
    this.#directory = join(allocation, 'alloc/logs')
    this.#prefix = `${task}.${stream}.`
  }

  indexes(): number[] {
    const entries = readdirSync(this.#directory, { withFileTypes: true })
    return entries
      .filter(entry => !entry.isDirectory() && entry.name.startsWith(this.#prefix))
      .map(({ name }) => {
        const index = name.slice(this.#prefix.length)
        if (!/^\d+$/.test(index)) throw new Error(`failed to convert "${index}" to a log index`)
        return Number(index)
      })
      .sort((one, other) => one - other)
  }

  /** Reads what has come, over any number of files, and gives all that was read so far. */
  read(): string {
    for (;;) {
      const next = this.indexes().find(index => index > (this.#at?.index ?? -1))
      // Asked before the end is reached: what came into this file before the next one was there is then read.
      if (this.#at !== null) this.#toEnd(this.#at.fd)
      if (next === undefined) return this.text
      this.close()
      this.#at = { index: next, fd: openSync(join(this.#directory, `${this.#prefix}${next}`), 'r') }
    }
  }

  close(): void {
    if (this.#at !== null) closeSync(this.#at.fd)
  }

  #toEnd(fd: number): void {
    const bytes = Buffer.alloc(65_536)
    for (let count = 1; count > 0;) {
      count = readSync(fd, bytes)
      this.text += bytes.toString('latin1', 0, count)
    }
  }
}
