import type { Source } from './source.ts'

/** A string: text, and between it what is put in when it is evaluated. */
export type Template = readonly (string | { readonly code: string })[]

/** `json`: strings are JSON's, in which `${` means nothing. */
export type Dialect = 'hcl' | 'json'

type Read = { readonly template: Template; readonly end: number }

const maxNesting = 100
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

/** The string whose opening quote is at `start`. Throws INVALID_ARGUMENT. */
export function quoted(source: Source, start: number, dialect: Dialect, nesting = 0): Read {
  const { text } = source
  if (nesting > maxNesting) throw source.error(start, `strings within strings, more than ${maxNesting}`)
  const parts = new Parts()
  let offset = start + 1
  for (;;) {
    const character = text[offset]
    if (character === undefined || character === '\n') throw source.error(start, 'a string that does not end')
    if (character === '"') return { template: parts.all(), end: offset + 1 }
    const special = character === '\\' ? escape(source, offset) : null
    if (special !== null) {
      parts.text(special.text)
      offset = special.end
    } else offset = dialect === 'json' ? parts.text(character, offset) : parts.next(source, offset, nesting)
  }
}

/** The lines up to the one that is `mark` alone. With `flush` their common indentation goes. */
export function heredoc(
  source: Source,
  { start, body, mark, flush }: { start: number; body: number; mark: string; flush: boolean },
): Read {
  const rest = source.text.slice(body)
  const closing = new RegExp(`^[ \\t]*${mark}[ \\t]*(?=\\r?$)`, 'mu').exec(rest)
  if (closing === null) throw source.error(start, `a heredoc without its closing ${mark}`)
  const lines = rest.slice(0, closing.index)
  const indents = flush ? Array.from(lines.matchAll(/^[ \t]*(?=[^\s])/gm), ([blank]) => blank.length) : []
  const indent = Math.min(...indents)
  const content =
    flush && indents.length > 0 ? lines.replace(new RegExp(`^[ \\t]{${indent}}`, 'gm'), '') : lines
  return { template: templateOf(source, content, body), end: body + closing.index + closing[0].length }
}

function templateOf(source: Source, content: string, at: number): Template {
  const parts = new Parts()
  const inner = { text: content, error: (_: number, message: string) => source.error(at, message) }
  for (let offset = 0; offset < content.length;) offset = parts.next(inner, offset, 0)
  return parts.all()
}

type Errors = Pick<Source, 'text' | 'error'>

/** Neighbouring text is one part. */
class Parts {
  readonly #parts: (string | { readonly code: string })[] = []
  #text = ''

  text(text: string, offset = 0): number {
    this.#text += text
    return offset + text.length
  }

  /** What is at `offset`: a character, or something that is put in. Returns the offset behind it. */
  next(source: Errors, offset: number, nesting: number): number {
    const { text } = source
    const [opening] = /^(?:\$\$\{|%%\{|\$\{|%\{)/.exec(text.slice(offset, offset + 3)) ?? []
    if (opening === undefined) return this.text(text[offset] ?? '', offset)
    if (opening.length === 3) {
      this.text(opening.slice(1))
      return offset + 3
    }
    const end = closingBrace(source, offset, nesting)
    const code = text
      .slice(offset + 2, end)
      .replace(/^~|~$/g, '')
      .trim()
    this.#flush()
    // A directive (`%{ if }`) is no expression: whatever it leads to is not known here.
    this.#parts.push({ code: opening === '%{' ? `%{${code}}` : code })
    return end + 1
  }

  all(): Template {
    this.#flush()
    return this.#parts
  }

  #flush(): void {
    if (this.#text !== '') this.#parts.push(this.#text)
    this.#text = ''
  }
}

/** The offset of the brace that closes the one behind `start`. */
function closingBrace(source: Errors, start: number, nesting: number): number {
  const { text } = source
  let depth = 0
  for (let offset = start + 1; offset < text.length; offset += 1) {
    const character = text[offset]
    if (character === '"') offset = quoted(source as Source, offset, 'hcl', nesting + 1).end - 1
    else if (character === '{') depth += 1
    else if (character === '}' && --depth === 0) return offset
  }
  throw source.error(start, '"${" without its closing "}"')
}

function escape(source: Source, start: number): { readonly text: string; readonly end: number } {
  const { text } = source
  const simple = escapes[text[start + 1] ?? '']
  if (simple !== undefined) return { text: simple, end: start + 2 }
  // The rest are JSON's own.
  const other = { b: '\b', f: '\f', '/': '/' }[text[start + 1] ?? '']
  if (other !== undefined) return { text: other, end: start + 2 }
  const [all, four, eight] =
    /^\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(text.slice(start, start + 10)) ?? []
  const code = Number.parseInt(four ?? eight ?? '', 16)
  if (all === undefined || code > 0x10ffff)
    throw source.error(start, `got ${JSON.stringify(text.slice(start, start + 2))}, which is no escape`)
  return { text: String.fromCodePoint(code), end: start + all.length }
}
