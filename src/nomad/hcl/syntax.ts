import type { Position } from './source.ts'
import type { Template } from './template.ts'

/** What stands behind a name. `code` is what is neither a literal nor made of literals, kept as text. */
export type Expression = { readonly at: Position } & (
  | { readonly kind: 'literal'; readonly value: number | boolean | null }
  | { readonly kind: 'template'; readonly parts: Template }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly Entry[] }
  | { readonly kind: 'code'; readonly text: string }
)

export type Entry = { readonly key: string; readonly at: Position; readonly value: Expression }

export type Attribute = { readonly at: Position; readonly value: Expression }

export type Block = {
  readonly type: string
  readonly labels: readonly string[]
  readonly at: Position
  readonly body: Body
}

export type Body = {
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly blocks: readonly Block[]
}
