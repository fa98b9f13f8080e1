import type { Source } from './source.ts'
import { type Dialect, heredoc, quoted, type Template } from './template.ts'

/**
 * A word of the language. `text` is how it stands in the file; a string has what it means beside that. `end`
 * is the offset behind it.
 */
export type Token = {
  readonly kind: 'word' | 'number' | 'string' | 'sign' | 'newline' | 'end'
  readonly text: string
  readonly start: number
  readonly end: number
  readonly template?: Template
}

const ignored = /(?:[ \t\r]|(?:#|\/\/)[^\n]*|\/\*[^]*?\*\/)+/y
const ignoredInJson = /[ \t\r]+/y
const kinds = [
  ['newline', /\n/y],
  ['word', /[\p{ID_Start}_][\p{ID_Continue}-]*/uy],
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['sign', /\.\.\.|==|!=|<=|>=|&&|\|\||=>|[{}[\]()=:,.?+\-*/%!<>]/y],
] as const
const heredocStart = /<<(-?)([\p{ID_Start}_][\p{ID_Continue}-]*)[ \t]*\r?\n/uy

/** Throws INVALID_ARGUMENT for what is in no word of the language. */
export function tokensOf(source: Source, dialect: Dialect): Token[] {
  const { text } = source
  const tokens: Token[] = []
  let offset = 0
  for (;;) {
    offset += lengthAt(dialect === 'json' ? ignoredInJson : ignored, text, offset)
    if (offset >= text.length) return [...tokens, { kind: 'end', text: '', start: offset, end: offset }]
    const token = stringAt(source, offset, dialect) ?? simpleAt(text, offset)
    if (token === null) throw source.error(offset, `got ${JSON.stringify(characterAt(text, offset))}`)
    tokens.push(token)
    offset = token.end
  }
}

function stringAt(source: Source, start: number, dialect: Dialect): Token | null {
  const { text } = source
  if (text[start] === '"') {
    const { template, end } = quoted(source, start, dialect)
    return { kind: 'string', text: text.slice(start, end), start, end, template }
  }
  heredocStart.lastIndex = start
  const [opening, flush, mark] = (dialect === 'hcl' && heredocStart.exec(text)) || []
  if (opening === undefined || mark === undefined) return null
  const { template, end } = heredoc(source, {
    start,
    body: start + opening.length,
    mark,
    flush: flush === '-',
  })
  return { kind: 'string', text: text.slice(start, end), start, end, template }
}

function simpleAt(text: string, start: number): Token | null {
  for (const [kind, pattern] of kinds) {
    const length = lengthAt(pattern, text, start)
    if (length > 0) return { kind, text: text.slice(start, start + length), start, end: start + length }
  }
  return null
}

function lengthAt(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0].length ?? 0
}

function characterAt(text: string, offset: number): string {
  return String.fromCodePoint(text.codePointAt(offset) ?? 0)
}
