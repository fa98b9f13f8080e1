import { HoldfastError } from '../../index.ts'

/** Line and column of a character, both from 1. */
export type Position = { readonly line: number; readonly column: number }

/** The text of a file, and where in it things are. */
export class Source {
  readonly text: string
  readonly #name: string
  readonly #lines: readonly number[]

  /** `name`: what its errors call it. */
  constructor(name: string, text: string) {
    this.#name = name
    this.text = text.replace(/^\u{feff}/u, '')
    this.#lines = [0, ...Array.from(this.text.matchAll(/\n/g), ({ index }) => index + 1)]
  }

  position(offset: number): Position {
    const line = this.#lines.findLastIndex(start => start <= offset)
    return { line: line + 1, column: offset - (this.#lines[line] ?? 0) + 1 }
  }

  /** INVALID_ARGUMENT that starts with `file:line:column`. */
  error(offset: number, message: string): HoldfastError {
    const { line, column } = this.position(offset)
    return new HoldfastError('INVALID_ARGUMENT', `${this.#name}:${line}:${column}: ${message}`)
  }
}
