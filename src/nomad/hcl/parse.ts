import type { Position, Source } from './source.ts'
import type { Attribute, Block, Body, Entry, Expression } from './syntax.ts'
import type { Dialect, Template } from './template.ts'
import { type Token, tokensOf } from './tokens.ts'

/** Where a value ends. */
type Within = 'list' | 'object' | 'body'

const maxNesting = 200
const operands: ReadonlySet<string> = new Set(['word', 'number', 'string'])
const opening = new Set(['(', '[', '{'])
const closing = new Set([')', ']', '}'])
const words: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

/**
 * A file of HashiCorp's configuration language: blocks and attributes with where they are. Throws
 * INVALID_ARGUMENT that starts with the file, the line and the column.
 */
export function parseBody(source: Source): Body {
  return new Parser(source, 'hcl').file()
}

/** A JSON document, with where its parts are. Throws as parseBody(). */
export function parseJson(source: Source): Expression {
  return new Parser(source, 'json').value()
}

class Parser {
  readonly #source: Source
  readonly #tokens: readonly Token[]
  #index = 0
  #nesting = 0

  constructor(source: Source, dialect: Dialect) {
    this.#source = source
    this.#tokens = tokensOf(source, dialect)
  }

  file(): Body {
    const body = this.#body()
    if (this.#token.kind !== 'end') throw this.#unexpected('a block or an attribute')
    return body
  }

  value(): Expression {
    this.#skipNewlines()
    const value = this.#expression('list')
    this.#skipNewlines()
    if (this.#token.kind !== 'end') throw this.#unexpected('nothing more')
    return value
  }

  #body(): Body {
    const attributes = new Map<string, Attribute>()
    const blocks: Block[] = []
    for (;;) {
      this.#skipNewlines()
      if (this.#token.kind === 'end' || this.#is('}')) return { attributes, blocks }
      const { kind, start } = this.#token
      if (kind !== 'word' && kind !== 'string') throw this.#unexpected('a block or an attribute')
      const at = this.#source.position(start)
      // Nomad still takes quoted names in the agent's configuration.
      const name = this.#label()
      if (!this.#skip('=')) {
        blocks.push(this.#block(name, at))
        continue
      }
      if (attributes.has(name)) throw this.#source.error(start, `${name} is there twice`)
      attributes.set(name, { at, value: this.#expression('body') })
      if (!this.#isEnd('body')) throw this.#unexpected('a new line')
    }
  }

  #block(type: string, at: Position): Block {
    return this.#nested(() => {
      const labels: string[] = []
      while (this.#token.kind === 'word' || this.#token.kind === 'string') labels.push(this.#label())
      this.#takeSign('{', labels.length === 0 ? '"=" or "{"' : '"{"')
      const body = this.#body()
      this.#takeSign('}', '"}"')
      return { type, labels, at, body }
    })
  }

  #label(): string {
    const token = this.#next()
    return token.template === undefined ? token.text : plainText(token.template)
  }

  #expression(within: Within): Expression {
    return this.#nested(() => {
      const start = this.#index
      const simple = this.#simple()
      if (simple !== null && this.#isEnd(within)) return simple
      this.#index = start
      return this.#code(within)
    })
  }

  /** Null: it is something else. */
  #simple(): Expression | null {
    const token = this.#next()
    const at = this.#source.position(token.start)
    if (token.template !== undefined) return { kind: 'template', at, parts: token.template }
    if (token.kind === 'number') return { kind: 'literal', at, value: Number(token.text) }
    if (token.text === '-' && this.#token.kind === 'number')
      return { kind: 'literal', at, value: -Number(this.#next().text) }
    const word = token.kind === 'word' ? words.get(token.text) : undefined
    if (word !== undefined) return { kind: 'literal', at, value: word }
    const isFor = this.#token.text === 'for' && this.#token.kind === 'word'
    if (token.text === '[' && !isFor) return { kind: 'list', at, items: this.#items() }
    if (token.text === '{' && !isFor) return { kind: 'object', at, entries: this.#entries() }
    return null
  }

  #items(): Expression[] {
    const items: Expression[] = []
    for (;;) {
      this.#skipNewlines()
      if (this.#skip(']')) return items
      items.push(this.#expression('list'))
      this.#skipNewlines()
      if (!this.#skip(',') && !this.#is(']')) throw this.#unexpected('"," or "]"')
    }
  }

  #entries(): Entry[] {
    const entries: Entry[] = []
    for (;;) {
      this.#skipNewlines()
      if (this.#skip('}')) return entries
      const at = this.#source.position(this.#token.start)
      const key = this.#key()
      if (!this.#skip('=') && !this.#skip(':')) throw this.#unexpected('"=" or ":"')
      entries.push({ key, at, value: this.#expression('object') })
      if (!this.#skip(',') && !this.#isEnd('object')) throw this.#unexpected('"," or "}"')
    }
  }

  #key(): string {
    if (this.#is('(')) {
      const start = this.#token.start
      this.#skipBrackets()
      return this.#source.text.slice(start, this.#tokens[this.#index - 1]?.end)
    }
    if (!['word', 'string', 'number'].includes(this.#token.kind)) throw this.#unexpected('a name')
    return this.#label()
  }

  #code(within: Within): Expression {
    const { start } = this.#token
    let [end, operand] = [start, false]
    while (this.#token.kind !== 'end' && !this.#stops(within)) {
      const begins = operands.has(this.#token.kind) || this.#is('{')
      if (this.#is('=') || (operand && begins)) throw this.#unexpected('an operator, or the end of the value')
      operand = begins || this.#is('(') || this.#is('[')
      if (operand && !operands.has(this.#token.kind)) this.#skipBrackets()
      else this.#index += 1
      end = this.#tokens[this.#index - 1]?.end ?? end
      if (within === 'list') this.#skipNewlines()
    }
    if (end === start) throw this.#unexpected('a value')
    return {
      kind: 'code',
      at: this.#source.position(start),
      text: this.#source.text.slice(start, end).trim(),
    }
  }

  #stops(within: Within): boolean {
    const { kind, text } = this.#token
    if (kind === 'newline') return within !== 'list'
    return kind === 'sign' && (closing.has(text) || text === ',')
  }

  #isEnd(within: Within): boolean {
    if (within === 'list') this.#skipNewlines()
    if (within === 'body' && this.#is(',')) return false
    return this.#token.kind === 'end' || this.#stops(within)
  }

  #skipBrackets(): void {
    const first = this.#token
    let depth = 0
    do {
      const { kind, text } = this.#next()
      if (kind === 'end') throw this.#source.error(first.start, `"${first.text}" is never closed`)
      if (kind === 'sign' && opening.has(text)) depth += 1
      if (kind === 'sign' && closing.has(text)) depth -= 1
    } while (depth > 0)
  }

  #nested<Result>(read: () => Result): Result {
    if (++this.#nesting > maxNesting)
      throw this.#source.error(this.#token.start, `more than ${maxNesting} things within each other`)
    const result = read()
    this.#nesting -= 1
    return result
  }

  get #token(): Token {
    // The last token is the end, which is never passed.
    return this.#tokens[Math.min(this.#index, this.#tokens.length - 1)] as Token
  }

  #next(): Token {
    const token = this.#token
    this.#index += 1
    return token
  }

  #is(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign
  }

  #skip(sign: string): boolean {
    const is = this.#is(sign)
    if (is) this.#index += 1
    return is
  }

  #skipNewlines(): void {
    while (this.#token.kind === 'newline') this.#index += 1
  }

  #takeSign(sign: string, takes: string): void {
    if (!this.#skip(sign)) throw this.#unexpected(takes)
  }

  #unexpected(takes: string): Error {
    const { kind, text, start } = this.#token
    const got = { newline: 'the end of the line', end: 'the end of the file' }[kind as string]
    return this.#source.error(start, `got ${got ?? JSON.stringify(text)}, takes ${takes}`)
  }
}

function plainText(template: Template): string {
  return template.map(part => (typeof part === 'string' ? part : `\${${part.code}}`)).join('')
}
