import type { LogLines, Span } from './log-lines.ts'

/** Which lines have a text, whatever its case. The text is no pattern: no line can make the search slow. */
export class LogSearch {
  readonly query: string
  readonly #pattern: RegExp
  /** The numbers of lines that have it. */
  readonly hits: number[] = []
  #next = 0

  constructor(query: string) {
    this.query = query
    this.#pattern = patternOf(query)
  }

  /** Looks at what is new, or may have changed. */
  update(log: LogLines): void {
    if (this.query === '') return
    while ((this.hits.at(-1) ?? -1) >= this.#next) this.hits.pop()
    let gone = 0
    while ((this.hits[gone] ?? Number.POSITIVE_INFINITY) < log.first) gone++
    this.hits.splice(0, gone)
    for (let index = Math.max(0, this.#next - log.first); index < log.lines.length; index++) {
      this.#pattern.lastIndex = 0
      if (this.#pattern.test(log.lines[index]?.text ?? '')) this.hits.push(log.first + index)
    }
    this.#next = log.firstOpen
  }
}

export type Piece = Span & { readonly hit: boolean }

/** A line's text in pieces of one style each, with what was searched for on its own. */
export function marked(spans: readonly Span[], query: string): Piece[] {
  if (query === '') return spans.map(span => ({ ...span, hit: false }))
  const text = spans.map(span => span.text).join('')
  const edges = [...text.matchAll(patternOf(query))].flatMap(({ 0: found, index }) => [
    index,
    index + found.length,
  ])
  const pieces: Piece[] = []
  let at = 0
  for (const { text: own, classes } of spans) {
    const end = at + own.length
    const cuts = [at, ...edges.filter(edge => edge > at && edge < end), end]
    for (const [index, from] of cuts.slice(0, -1).entries()) {
      const to = cuts[index + 1] ?? end
      // Between an odd and an even edge lies what was found.
      const hit = edges.filter(edge => edge <= from).length % 2 === 1
      pieces.push({ text: text.slice(from, to), classes, hit })
    }
    at = end
  }
  return pieces
}

function patternOf(query: string): RegExp {
  return new RegExp(query.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu')
}
