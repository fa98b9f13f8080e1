import type { FilePatch } from '../../index.ts'
import { escaped } from './escape.ts'
import { print } from './printing.ts'
import { type Colors, colorsFor } from './terminal.ts'

/** So many bytes are put in order at a time: a task may change as much as it likes. */
const batchBytes = 64 * 1024 * 1024

type Patched = { readonly path: string; readonly isDeleted: boolean; readonly patch: Uint8Array }

/**
 * Prints patches in the order of their paths, what is deleted first: a file may come in the place of a
 * directory, which must be empty then. To a terminal nothing goes that it would obey.
 */
export class PatchPrinter {
  readonly #colors: Colors | null
  readonly #write: (piece: Uint8Array | string) => Promise<void>
  #waiting: Patched[] = []
  #bytes = 0

  constructor(
    stream: { readonly isTTY?: boolean },
    write = (piece: Uint8Array | string): Promise<void> => print('stdout', piece),
  ) {
    this.#colors = stream.isTTY === true ? colorsFor(stream) : null
    this.#write = write
  }

  async add({ change: { path, kind, type }, patch }: FilePatch): Promise<void> {
    if (patch === null) return
    const isDeleted = kind === 'deleted' || type === 'directory'
    this.#waiting.push({ path, isDeleted, patch })
    this.#bytes += patch.length
    if (this.#bytes >= batchBytes) await this.end()
  }

  /** What is still to be printed. */
  async end(): Promise<void> {
    const batch = this.#waiting.sort(byPath)
    this.#waiting = []
    this.#bytes = 0
    for (const { patch } of batch)
      await this.#write(this.#colors === null ? patch : patchForTerminal(patch, this.#colors))
  }
}

function byPath(one: Patched, other: Patched): number {
  if (one.isDeleted !== other.isDeleted) return one.isDeleted ? -1 : 1
  return one.path < other.path ? -1 : 1
}

/** As text with colours, and nothing else in it that a terminal obeys. */
export function patchForTerminal(patch: Uint8Array, colors: Colors): string {
  let isHead = true
  return Buffer.from(patch)
    .toString()
    .replace(/\n$/, '')
    .split('\n')
    .map(line => {
      if (line.startsWith('@@')) isHead = false
      if (line.startsWith('diff ')) isHead = true
      const text = line.split('\t').map(escaped).join('\t')
      return `${isHead ? colors.bold(text) : painted(text, colors)}\n`
    })
    .join('')
}

function painted(line: string, colors: Colors): string {
  if (line.startsWith('@@')) return colors.cyan(line)
  if (line.startsWith('+')) return colors.green(line)
  return line.startsWith('-') ? colors.red(line) : line
}

/** Why a file is in no patch. */
export function leftOut({ change: { path }, omitted }: FilePatch): string {
  return `${escaped(path)} is not in the patch: ${omitted === null ? 'nothing differs' : reasons[omitted]}`
}

const reasons: Readonly<Record<NonNullable<FilePatch['omitted']>, string>> = {
  binary: 'it is binary',
  large: 'it is larger than --max-file',
  unreadable: 'it cannot be read',
  special: 'it is a FIFO, socket or device',
  mode: 'only permission bits differ that Git does not know',
}
