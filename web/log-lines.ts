import { type Sink, Styled } from './ansi.ts'
import type { LogPiece } from './types.ts'

export type Span = { readonly text: string; readonly classes: string }
export type Stream = LogPiece[0]

export type Line = {
  readonly stream: Stream
  /** When its beginning came, milliseconds since the epoch; null: nobody noted it. */
  readonly at: number | null
  spans: Span[]
  text: string
}

type Bounds = { readonly lines: number; readonly length: number; readonly characters: number }

const usual: Bounds = { lines: 50_000, length: 4000, characters: 16 * 1024 * 1024 }

/**
 * The last lines of both streams, in the order in which they began: a line of one stream stays whole while
 * the other prints. Bounded in lines, in their length, and in all characters.
 */
export class LogLines {
  readonly #max: Bounds
  readonly lines: Line[] = []
  /** The number of the first line that is kept. */
  first = 0
  #characters = 0
  #at: number | null = null
  /** The line that each stream is in the middle of. */
  readonly #open: Record<Stream, Line | null> = { stdout: null, stderr: null }
  readonly #streams: Record<Stream, Styled>

  constructor(max: Partial<Bounds> = {}) {
    this.#max = { ...usual, ...max }
    this.#streams = { stdout: new Styled(this.#sinkOf('stdout')), stderr: new Styled(this.#sinkOf('stderr')) }
  }

  write(pieces: readonly LogPiece[]): void {
    for (const [stream, at, text] of pieces) {
      this.#at = at
      this.#streams[stream].write(text)
      if (this.lines.length > this.#max.lines * 1.1 || this.#characters > this.#max.characters)
        this.#shorten()
    }
  }

  /** The number of the first line that may still change. */
  get firstOpen(): number {
    const open = Object.values(this.#open).flatMap(line =>
      line === null ? [] : [this.lines.lastIndexOf(line)],
    )
    return this.first + Math.min(this.lines.length, ...open.filter(index => index >= 0))
  }

  #sinkOf(stream: Stream): Sink {
    return {
      text: (text, classes) => this.#text(stream, text, classes),
      newline: () => {
        this.#line(stream)
        this.#open[stream] = null
      },
      restart: () => {
        const line = this.#open[stream]
        if (line === null) return
        this.#characters -= line.text.length
        line.spans = []
        line.text = ''
      },
    }
  }

  #line(stream: Stream): Line {
    const open = this.#open[stream]
    if (open !== null) return open
    const line: Line = { stream, at: this.#at, spans: [], text: '' }
    this.#open[stream] = line
    this.lines.push(line)
    return line
  }

  #text(stream: Stream, text: string, classes: string): void {
    const line = this.#line(stream)
    const room = this.#max.length - line.text.length
    if (room <= 0) return
    const whole = withoutTabs(text, line.text.length)
    const kept = whole.length > room ? `${whole.slice(0, room)} …` : whole
    const last = line.spans.at(-1)
    if (last?.classes === classes) line.spans[line.spans.length - 1] = { text: last.text + kept, classes }
    else line.spans.push({ text: kept, classes })
    line.text += kept
    this.#characters += kept.length
  }

  /** By a tenth more than has to be, so that it is done seldom. */
  #shorten(): void {
    let count = Math.max(0, this.lines.length - this.#max.lines)
    for (const line of this.lines.slice(0, count)) this.#characters -= line.text.length
    for (; this.#characters > this.#max.characters * 0.9 && count < this.lines.length - 1; count++)
      this.#characters -= this.lines[count]?.text.length ?? 0
    for (const line of this.lines.splice(0, count))
      if (this.#open[line.stream] === line) this.#open[line.stream] = null
    this.first += count
  }
}

/** As a terminal shows them: to the next column that eight divides. */
function withoutTabs(text: string, column: number): string {
  if (!text.includes('\t')) return text
  let result = ''
  for (const [index, part] of text.split('\t').entries()) {
    if (index > 0) result += ' '.repeat(8 - ((column + result.length) % 8))
    result += part
  }
  return result
}
