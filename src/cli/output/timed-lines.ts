import type { OutputChunk } from '../../index.ts'

/** A longer line is told in pieces. */
const longestLine = 64 * 1024

type Line = { readonly stream: 'stdout' | 'stderr'; readonly text: Buffer }

/** Whole lines, each behind the time at which it was begun, in the order in which they were ended. */
export class TimedLines {
  readonly #begun = new Map<string, { readonly at: Date; readonly parts: Uint8Array[]; size: number }>()

  push({ stream, at, bytes }: Pick<OutputChunk, 'stream' | 'at' | 'bytes'>): Line[] {
    const lines: Line[] = []
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(10, from)
      const to = newline === -1 ? bytes.length : newline + 1
      const line = this.#begun.get(stream) ?? { at, parts: [], size: 0 }
      this.#begun.set(stream, line)
      line.parts.push(bytes.subarray(from, to))
      line.size += to - from
      if (newline !== -1 || line.size > longestLine) lines.push(this.#end(stream, newline !== -1))
      from = to
    }
    return lines
  }

  /** What has no end. */
  rest(): Line[] {
    return [...this.#begun.keys()].map(stream => this.#end(stream as Line['stream'], true))
  }

  #end(stream: Line['stream'], whole: boolean): Line {
    const { at, parts } = this.#begun.get(stream) ?? { at: new Date(), parts: [] }
    this.#begun.delete(stream)
    const ended = parts.at(-1)?.at(-1) === 10
    const end = whole && ended ? [] : [Buffer.from('\n')]
    return { stream, text: Buffer.concat([Buffer.from(`${at.toISOString()} `), ...parts, ...end]) }
  }
}
