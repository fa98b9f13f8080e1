/** A part of a word. What is not quoted is split at its spaces when it has been put in. */
export type Part = { readonly quoted: boolean } & (
  | { readonly kind: 'text' | 'variable' | 'sum'; readonly text: string }
  | { readonly kind: 'output'; readonly script: string }
)

export type Word = readonly Part[]

/** `>`, `>>`, `<` to a file, `>&` to a descriptor. */
export type Redirect = { readonly fd: number; readonly how: '>' | '>>' | '<' | '>&'; readonly to: Word }

export type Node =
  | { readonly kind: 'simple'; readonly words: readonly Word[]; readonly redirects: readonly Redirect[] }
  | { readonly kind: 'pipe' | 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'not'; readonly body: Node }
  | { readonly kind: 'loop'; readonly until: boolean; readonly test: List; readonly body: List }
  | { readonly kind: 'for'; readonly name: string; readonly words: readonly Word[]; readonly body: List }
  | { readonly kind: 'group'; readonly body: List; readonly script: string }

/** `script` is the text of one that runs in the background. */
export type List = readonly { readonly node: Node; readonly background: string | null }[]

type Token =
  | { readonly kind: 'word'; readonly word: Word; readonly from: number; readonly to: number }
  | {
      readonly kind: 'redirect'
      readonly redirect: Omit<Redirect, 'to'>
      readonly from: number
      readonly to: number
    }
  | { readonly kind: 'operator'; readonly text: string; readonly from: number; readonly to: number }

/**
 * The part of the shell's language that the contract's scripts are written in. Throws for what is not in it.
 */
export function parse(script: string): List {
  const parser = new Parser(script)
  const list = parser.list([])
  parser.end()
  return list
}

class Parser {
  readonly #script: string
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(script: string) {
    this.#script = script
    this.#tokens = tokensOf(script)
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw new Error(`not understood: ${this.#rest()}`)
  }

  list(closing: readonly string[]): List {
    const items: { node: Node; background: string | null }[] = []
    while (this.#at < this.#tokens.length && !closing.includes(this.#peek())) {
      const from = this.#from()
      const node = this.#andOr()
      const isBackground = this.#peek() === '&'
      items.push({ node, background: isBackground ? this.#script.slice(from, this.#from()) : null })
      if (['&', ';', '\n'].includes(this.#peek())) this.#at++
    }
    return items
  }

  #andOr(): Node {
    let left = this.#pipe()
    for (;;) {
      const kind = { '&&': 'and', '||': 'or' }[this.#peek()] as 'and' | 'or' | undefined
      if (kind === undefined) return left
      this.#at++
      left = { kind, left, right: this.#pipe() }
    }
  }

  #pipe(): Node {
    let left = this.#command()
    while (this.#peek() === '|') {
      this.#at++
      left = { kind: 'pipe', left, right: this.#command() }
    }
    return left
  }

  #command(): Node {
    const first = this.#peek()
    if (first === '!') {
      this.#at++
      return { kind: 'not', body: this.#command() }
    }
    if (first === '(') return this.#group()
    if (first === 'while' || first === 'until') {
      this.#at++
      const test = this.list(['do'])
      return { kind: 'loop', until: first === 'until', test, body: this.#body() }
    }
    if (first === 'for') return this.#for()
    return this.#simple()
  }

  #group(): Node {
    const from = this.#from() + 1
    this.#at++
    const body = this.list([')'])
    const script = this.#script.slice(from, this.#from())
    this.#take(')')
    return { kind: 'group', body, script }
  }

  #for(): Node {
    this.#at++
    const name = this.#peek()
    this.#at++
    this.#take('in')
    const words: Word[] = []
    for (let token = this.#tokens[this.#at]; token?.kind === 'word'; token = this.#tokens[++this.#at])
      words.push(token.word)
    this.#at++
    return { kind: 'for', name, words, body: this.#body() }
  }

  #body(): List {
    this.#take('do')
    const body = this.list(['done'])
    this.#take('done')
    return body
  }

  #simple(): Node {
    const words: Word[] = []
    const redirects: Redirect[] = []
    for (
      let token = this.#tokens[this.#at];
      token && token.kind !== 'operator';
      token = this.#tokens[this.#at]
    ) {
      this.#at++
      if (token.kind === 'word') words.push(token.word)
      else {
        const target = this.#tokens[this.#at++]
        if (target?.kind !== 'word') throw new Error('a redirection to nothing')
        redirects.push({ ...token.redirect, to: target.word })
      }
    }
    if (words.length + redirects.length === 0) throw new Error(`not understood: ${this.#rest()}`)
    return { kind: 'simple', words, redirects }
  }

  #take(text: string): void {
    if (this.#peek() !== text) throw new Error(`${text} expected: ${this.#rest()}`)
    this.#at++
  }

  /** An operator, or a word that is one plain text. */
  #peek(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) return ''
    if (token.kind === 'operator') return token.text
    const [part, ...more] = token.kind === 'word' ? token.word : []
    return part?.kind === 'text' && !part.quoted && more.length === 0 ? part.text : ''
  }

  #from(): number {
    return this.#tokens[this.#at]?.from ?? this.#script.length
  }

  #rest(): string {
    return JSON.stringify(this.#script.slice(this.#from()))
  }
}

function tokensOf(script: string): Token[] {
  const tokens: Token[] = []
  const pattern =
    /[ \t]+|(?<redirect>\d?(?:>>|>&|>|<))|(?<operator>&&|\|\||[;&|()\n])|(?<word>(?:'[^']*'|"(?:\\[^]|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*"|\\[^]|\$\(\((?:[^()])*\)\)|\$\((?:[^()])*\)|\$\$|[^ \t\n;&|()<>'"\\])+)/y
  while (pattern.lastIndex < script.length) {
    const from = pattern.lastIndex
    const found = pattern.exec(script)
    if (found === null) throw new Error(`not understood: ${JSON.stringify(script.slice(from))}`)
    const { redirect, operator, word } = found.groups ?? {}
    const to = pattern.lastIndex
    if (operator) tokens.push({ kind: 'operator', text: operator, from, to })
    if (word) tokens.push({ kind: 'word', word: wordOf(word), from, to })
    if (redirect) {
      const how = redirect.replace(/^\d/, '') as Redirect['how']
      const fd = /^\d/.test(redirect) ? Number(redirect[0]) : how === '<' ? 0 : 1
      tokens.push({ kind: 'redirect', redirect: { fd, how }, from, to })
    }
  }
  return tokens
}

/** A word's text, taken apart. */
function wordOf(text: string): Part[] {
  const pattern =
    /'(?<single>[^']*)'|"(?<double>(?:\\[^]|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*)"|\\(?<escaped>[^])|(?<plain>[^'"\\]+)/gy
  return [...text.matchAll(pattern)].flatMap(({ groups = {} }): Part[] => {
    const { single, double, escaped, plain = '' } = groups
    if (single !== undefined) return [{ kind: 'text', text: single, quoted: true }]
    if (escaped !== undefined) return [{ kind: 'text', text: escaped, quoted: true }]
    return double === undefined ? expansions(plain, false) : [...empty, ...expansions(double, true)]
  })
}

/** Two quotes are a word, whatever is between them. */
const empty: readonly Part[] = [{ kind: 'text', text: '', quoted: true }]

function expansions(text: string, quoted: boolean): Part[] {
  const pattern =
    /\$\(\((?<sum>[^()]*)\)\)|\$\((?<script>[^()]*)\)|\$\{(?<braced>\w+)\}|\$(?<name>\w+|[$@])|\\(?<escaped>[$"\\`])|(?<text>\$|\\|[^$\\]+)/gy
  return [...text.matchAll(pattern)].map(({ groups = {} }): Part => {
    if (groups.sum !== undefined) return { kind: 'sum', text: groups.sum, quoted }
    if (groups.script !== undefined) return { kind: 'output', script: groups.script, quoted }
    const name = groups.braced ?? groups.name
    if (name !== undefined) return { kind: 'variable', text: name, quoted }
    return { kind: 'text', text: groups.escaped ?? groups.text ?? '', quoted }
  })
}
