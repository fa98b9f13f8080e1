/** What a value read from a file is to be: its type comes of it, and so does the check. */
export type Shape<Value> = {
  /** What is wrong with `value`, after the name of the field where it is one of an object; null: nothing. */
  fault(value: unknown): string | null
  /** `value`, which has no fault, without the fields that nobody knows; itself where it has none of them. */
  known(value: unknown): Value
}

/** A field that earlier versions did not write. */
export type Optional<Value> = Shape<Value> & { readonly isOptional: true }

export type ValueOf<Of> = Of extends Shape<infer Value> ? Value : never

type Fields = Readonly<Record<string, Shape<unknown>>>
type OptionalNames<Of> = { [Name in keyof Of]: Of[Name] extends Optional<unknown> ? Name : never }[keyof Of]
/** Written out, so that messages of the compiler and documentation show the fields. */
type Flat<Value> = { readonly [Name in keyof Value]: Value[Name] }
export type ObjectOf<Of extends Fields> = Flat<
  { readonly [Name in Exclude<keyof Of, OptionalNames<Of>>]: ValueOf<Of[Name]> } & {
    readonly [Name in OptionalNames<Of>]?: ValueOf<Of[Name]>
  }
>

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value that is one as it stands, by its test; `takes` says in words what it takes. */
export function plain<Value>(takes: string, test: (value: unknown) => boolean): Shape<Value> {
  return {
    fault: value => (test(value) ? null : `takes ${takes}, got ${described(value)}`),
    known: value => value as Value,
  }
}

export const text = plain<string>('a text', value => typeof value === 'string')
export const finite = plain<number>('a number', value => typeof value === 'number' && Number.isFinite(value))
export const flag = plain<boolean>('true or false', value => typeof value === 'boolean')

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  const isInRange = (value: unknown): boolean =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
  return plain(`an integer from ${min} to ${max}`, isInRange)
}

export function oneOf<const Word extends string | number>(...words: readonly Word[]): Shape<Word> {
  return plain(words.map(word => JSON.stringify(word)).join(' or '), value =>
    words.some(word => word === value),
  )
}

export function nullable<Value>(shape: Shape<Value>): Shape<Value | null> {
  return {
    fault: value => (value === null ? null : shape.fault(value)),
    known: value => (value === null ? null : shape.known(value)),
  }
}

export function optional<Value>(shape: Shape<Value>): Optional<Value> {
  return { ...shape, isOptional: true }
}

/** Where earlier versions did not write it, it is `missing`. */
export function defaulted<Value>(shape: Shape<Value>, missing: Value): Shape<Value> {
  return {
    fault: value => (value === undefined ? null : shape.fault(value)),
    known: value => (value === undefined ? missing : shape.known(value)),
  }
}

export function listOf<Value>(shape: Shape<Value>): Shape<readonly Value[]> {
  return {
    fault: value => {
      if (!Array.isArray(value)) return `takes a list, got ${described(value)}`
      for (const [index, item] of value.entries()) {
        const fault = shape.fault(item)
        if (fault !== null) return under(String(index), fault)
      }
      return null
    },
    known: value => {
      const items = value as Value[]
      return items.every(item => shape.known(item) === item) ? items : items.map(item => shape.known(item))
    },
  }
}

/** `rule` looks at an object whose fields are all right, and says what is wrong with them together. */
export function object<const Of extends Fields>(
  fields: Of,
  rule: (value: ObjectOf<Of>) => string | null = () => null,
): Shape<ObjectOf<Of>> {
  const entries = Object.entries(fields)
  const isLeftOut = (shape: Shape<unknown>, value: unknown): boolean =>
    value === undefined && 'isOptional' in shape
  // As nearly every value is: of what was parsed a moment ago nobody needs a copy.
  const isKnown = (source: Record<string, unknown>): boolean =>
    Object.keys(source).length === entries.length &&
    entries.every(
      ([name, shape]) => Object.hasOwn(source, name) && shape.known(source[name]) === source[name],
    )
  return {
    fault: value => {
      if (!isRecord(value)) return `takes an object, got ${described(value)}`
      for (const [name, shape] of entries) {
        if (isLeftOut(shape, value[name])) continue
        const fault = shape.fault(value[name])
        if (fault !== null) return under(name, fault)
      }
      return rule(value as ObjectOf<Of>)
    },
    known: value => {
      const source = value as Record<string, unknown>
      if (isKnown(source)) return source as ObjectOf<Of>
      const known = entries.filter(([name, shape]) => !isLeftOut(shape, source[name]))
      return Object.fromEntries(
        known.map(([name, shape]) => [name, shape.known(source[name])]),
      ) as ObjectOf<Of>
    },
  }
}

function under(name: string, fault: string | null): string | null {
  if (fault === null) return null
  return fault.startsWith('takes ') ? `${name}: ${fault}` : `${name}.${fault}`
}

/** Short: what is in a file may be long. */
function described(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}
