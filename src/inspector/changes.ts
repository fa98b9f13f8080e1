import { createHash } from 'node:crypto'
import type { Change, Executor, FilePatch } from '../index.ts'
import { redacted } from './redact.ts'

/** What the page gets of an entry: `id` stands for its path, which no request ever holds. */
export type ChangeRow = Pick<Change, 'path' | 'kind' | 'type' | 'sizeBytes' | 'target' | 'conflict'> & {
  readonly id: string
}

/** By path. `left`: how many more there are. */
export type ChangeList = { readonly changes: readonly ChangeRow[]; readonly left: number }

/** One file. `text`: the lines of a unified diff; `cut`: there is more. */
export type ChangePatch = Pick<FilePatch, 'omitted'> & {
  readonly path: string
  readonly text: string | null
  readonly cut: boolean
}

/** `left`: there are more files. */
export type ChangePatches = { readonly files: readonly ChangePatch[]; readonly left: boolean }

/** A page has room for so many. */
const maxRows = 5000
const maxFiles = 100
const maxLines = 3000
const maxCharacters = 256 * 1024
/** At once, of all tasks: each is a process that reads what a task has written. */
const maxReaders = 4

/** What tasks have changed in their overlays. A file is asked for by the id that a list has given it. */
export class ChangeReader {
  readonly #lists = new WeakMap<Executor, Promise<ChangeList>>()
  readonly #paths = new WeakMap<Executor, ReadonlyMap<string, string>>()
  #readers = 0

  /** Null: too many are being read. Who asks while another waits for the same gets the same. */
  async list(task: Executor): Promise<ChangeList | null> {
    const waiting = this.#lists.get(task)
    if (waiting !== undefined) return await waiting
    return await this.#reading(async () => {
      const list = this.#read(task)
      this.#lists.set(task, list)
      return await list.finally(() => this.#lists.delete(task))
    })
  }

  /** What is in it, or of a deleted directory in all in it. Undefined: no list has had it. */
  async patches(task: Executor, id: string): Promise<ChangePatches | null | undefined> {
    const path = this.#paths.get(task)?.get(id)
    if (path === undefined) return undefined
    return await this.#reading(async () => {
      const files: ChangePatch[] = []
      let characters = 0
      for await (const { change, patch, omitted } of task.patches({ paths: [path] })) {
        if (files.length === maxFiles || characters > maxCharacters) return { files, left: true }
        const shown = patch === null ? { text: null, cut: false } : bodyOf(patch)
        characters += shown.text?.length ?? 0
        files.push({ path: redacted(change.path, task.command.env), omitted, ...shown })
      }
      return { files, left: false }
    })
  }

  async #read(task: Executor): Promise<ChangeList> {
    const all = (await task.changes()).sort((one, other) => (one.path < other.path ? -1 : 1))
    const listed = all.slice(0, maxRows)
    this.#paths.set(task, new Map(listed.map(({ path }) => [idOf(path), path])))
    const clean = (text: string): string => redacted(text, task.command.env)
    const changes = listed.map(({ path, kind, type, sizeBytes, target, conflict }) => {
      const shown = { path: clean(path), target: target === null ? null : clean(target) }
      return { id: idOf(path), kind, type, sizeBytes, conflict, ...shown }
    })
    return { changes, left: all.length - listed.length }
  }

  async #reading<Value>(read: () => Promise<Value>): Promise<Value | null> {
    if (this.#readers >= maxReaders) return null
    this.#readers++
    try {
      return await read()
    } finally {
      this.#readers--
    }
  }
}

function idOf(path: string): string {
  return createHash('sha256').update(path).digest('base64url').slice(0, 22)
}

/** From the first hunk on, as text; of what has none, such as an empty file, what Git says of it. */
function bodyOf(patch: Uint8Array): { readonly text: string; readonly cut: boolean } {
  const text = new TextDecoder().decode(patch)
  const lines = text.slice(0, maxCharacters).split('\n', maxLines + 1)
  const isCut = lines.length > maxLines || text.length > maxCharacters
  return { text: lines.slice(0, maxLines).join('\n').replace(/\n$/, ''), cut: isCut }
}
