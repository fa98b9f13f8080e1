import type { Body, Expression } from './syntax.ts'
import type { Template } from './template.ts'

/** What only Nomad can say: a function's result, a variable without a default. */
export class Unknown {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Value =
  string | number | boolean | null | Unknown | readonly Value[] | { readonly [key: string]: Value }

const maxReferences = 20
const reference = /^(var|local)\.([\p{ID_Start}_][\p{ID_Continue}-]*)$/u
/** `attr.kernel.name`, `NOMAD_PORT_http`, `env["X"]`: left as they are until the task starts. */
const ofTheNode = /^(?!(?:var|local|each|self|path)\.)[\p{ID_Start}_][\p{ID_Continue}.\-[\]"/]*$/u

/** The variables and locals of a job file, by which its expressions are read. */
export class Scope {
  readonly #values = new Map<string, Expression>()

  /** `given`: variables' values, over their defaults. */
  constructor({ blocks }: Body, given: ReadonlyMap<string, Expression> = new Map()) {
    for (const { type, labels, body } of blocks) {
      const value = body.attributes.get('default')?.value
      if (type === 'variable' && value) this.#values.set(`var.${labels[0]}`, value)
      if (type === 'variables') this.#addAll('var', body)
      if (type === 'locals') this.#addAll('local', body)
    }
    for (const [name, value] of given) this.#values.set(`var.${name}`, value)
  }

  valueOf(expression: Expression, depth = 0): Value {
    switch (expression.kind) {
      case 'literal':
        return expression.value
      case 'template':
        return this.#text(expression.parts, depth)
      case 'list':
        return expression.items.map(item => this.valueOf(item, depth))
      case 'object':
        return Object.fromEntries(
          expression.entries.map(({ key, value }) => [key, this.valueOf(value, depth)]),
        )
      case 'code':
        return this.#named(expression.text, depth) ?? new Unknown(expression.text)
    }
  }

  #addAll(kind: string, { attributes }: Body): void {
    for (const [name, { value }] of attributes) this.#values.set(`${kind}.${name}`, value)
  }

  #text(parts: Template, depth: number): Value {
    let text = ''
    for (const part of parts) {
      const value = typeof part === 'string' ? part : this.#inserted(part.code, depth)
      if (value instanceof Unknown) return value
      // A string of nothing else is what is put in, of whatever type.
      if (parts.length === 1) return value
      if (value !== null && typeof value === 'object') return new Unknown('a list within a string')
      text += String(value)
    }
    return text
  }

  #inserted(code: string, depth: number): Value {
    const value = this.#named(code, depth)
    if (value !== null) return value
    return ofTheNode.test(code) ? `\${${code}}` : new Unknown(`\${${code}}`)
  }

  /** Null: it is no variable, or nobody has said what it is. */
  #named(code: string, depth: number): Value {
    const value = reference.test(code) ? this.#values.get(code) : undefined
    return value === undefined || depth > maxReferences ? null : this.valueOf(value, depth + 1)
  }
}

/** The first part of a value that is not known; null where all of it is. */
export function unknownIn(value: Value): Unknown | null {
  if (value instanceof Unknown) return value
  if (typeof value !== 'object' || value === null) return null
  for (const part of Object.values(value as { readonly [key: string]: Value })) {
    const unknown = unknownIn(part)
    if (unknown !== null) return unknown
  }
  return null
}
