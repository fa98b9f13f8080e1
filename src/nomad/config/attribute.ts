import { HoldfastError } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/**
 * One attribute or block of a configuration: what the agent is told of it (hclspec), and how what arrives is
 * checked.
 */
export type Attribute<Value> = {
  readonly spec: (name: string) => object
  /**
   * `value` is null or undefined where it was left out. Throws INVALID_ARGUMENT naming `at`, what it got and
   * what it takes.
   */
  readonly read: (value: unknown, at: string) => Value
}

type Values<Attributes> = { readonly [Name in keyof Attributes]: ValueOf<Attributes[Name]> }
type ValueOf<Of> = Of extends Attribute<infer Value> ? Value : never
type Attributes = Readonly<Record<string, Attribute<unknown>>>

/**
 * The whole of a configuration: what ConfigSchema and TaskConfigSchema answer, and the reader of what then
 * comes.
 */
export function configuration<Of extends Attributes>(attributes: Of) {
  return {
    spec: objectSpec(attributes),
    read: (value: unknown, at: string) => readAll(attributes, value ?? {}, at),
    knows: (name: string) => Object.hasOwn(attributes, name),
    /** What is wrong with an attribute of this name, whatever is wrong with the others. Null: nothing. */
    fault: (name: string, value: unknown, at: string) => faultOf(attributes, name, value, at),
    /** Whether it is a block that may be there any number of times. */
    isRepeated: (name: string) => Object.hasOwn(attributes[name]?.spec(name) ?? {}, 'block_list'),
  }
}

export function text(takes: string, accepts: (value: string) => boolean): Attribute<string | null> {
  return {
    spec: name => attr(name, 'string'),
    read: (value, at) => (isAbsent(value) ? null : checkText(value, at, takes, accepts)),
  }
}

/** The same attribute, with what it is where it was left out. */
export function withDefault<Value>(
  otherwise: Value,
  { spec, read }: Attribute<Value | null>,
): Attribute<Value> {
  return { spec, read: (value, at) => read(value, at) ?? otherwise }
}

/** Asked for by the reader alone: Nomad, asked to, would complain of it before anything else is read. */
export function requiredText(takes: string, accepts: (value: string) => boolean): Attribute<string> {
  return {
    spec: name => attr(name, 'string'),
    read: (value, at) => checkText(value, at, takes, accepts),
  }
}

/** One of these words. */
export function oneOf<const Value extends string>(...values: readonly Value[]): Attribute<Value | null> {
  const takes = values.map(value => `"${value}"`).join(' or ')
  return {
    spec: name => attr(name, 'string'),
    read: (value, at) => {
      if (isAbsent(value)) return null
      const word = values.find(known => known === value)
      if (word === undefined) throw invalidArgument(at, value, takes)
      return word
    },
  }
}

export function flag(otherwise: boolean): Attribute<boolean> {
  return {
    spec: name => attr(name, 'bool'),
    read: (value, at) => {
      if (isAbsent(value)) return otherwise
      if (typeof value !== 'boolean') throw invalidArgument(at, value, 'true or false')
      return value
    },
  }
}

/** An integer. Fractions that no double can hold arrive as strings. */
export function integer(min: number, max: number, unit: string): Attribute<number | null> {
  return {
    spec: name => attr(name, 'number'),
    read: (value, at) => {
      if (isAbsent(value)) return null
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
      if (!Number.isSafeInteger(number) || Number(number) < min || Number(number) > max)
        throw invalidArgument(at, value, `an integer from ${min} to ${max} (${unit})`)
      return Number(number)
    },
  }
}

export function texts(takes: string, accepts: (value: string) => boolean): Attribute<readonly string[]> {
  return {
    spec: name => attr(name, 'list(string)'),
    read: (value, at) => {
      if (isAbsent(value)) return []
      if (!Array.isArray(value)) throw invalidArgument(at, value, `a list: each ${takes}`)
      return value.map((item, index) => checkText(item, `${at}[${index}]`, takes, accepts))
    },
  }
}

/** Known to another driver, and refused here. Reading throws UNSUPPORTED with the reason and the hint. */
export function refused(
  type: 'string' | 'list(string)' | 'list(map(string))',
  why: string,
  hint: string,
): Attribute<null> {
  return {
    spec: name => attr(name, type),
    read: (value, at) => {
      if (isAbsent(value) || value === '' || (Array.isArray(value) && value.length === 0)) return null
      throw new HoldfastError('UNSUPPORTED', `${at}: ${why}`, { hint })
    },
  }
}

/** `name { ... }`, once at most. Left out, each of its attributes is. */
export function block<Of extends Attributes>(attributes: Of): Attribute<Values<Of>> {
  return {
    spec: name => ({ block_value: { name, required: false, nested: objectSpec(attributes) } }),
    read: (value, at) => readAll(attributes, value ?? {}, at),
  }
}

/** `name { ... }`, once at most. Null where it was left out. */
export function optionalBlock<Of extends Attributes>(attributes: Of): Attribute<Values<Of> | null> {
  const { spec, read } = block(attributes)
  return { spec, read: (value, at) => (isAbsent(value) ? null : read(value, at)) }
}

/** `name { ... }`, any number of times. */
export function blocks<Of extends Attributes>(attributes: Of): Attribute<readonly Values<Of>[]> {
  return {
    spec: name => ({ block_list: { name, nested: objectSpec(attributes) } }),
    read: (value, at) => {
      if (isAbsent(value)) return []
      if (!Array.isArray(value)) throw invalidArgument(at, value, 'blocks')
      return value.map((item, index) => readAll(attributes, item, `${at}[${index}]`))
    },
  }
}

function objectSpec(attributes: Attributes): object {
  const specs = Object.entries(attributes).map(([name, { spec }]) => [name, spec(name)] as const)
  return { object: { attributes: Object.fromEntries(specs) } }
}

function readAll<Of extends Attributes>(attributes: Of, value: unknown, at: string): Values<Of> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(at, value, 'an object')
  const fields = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(fields).find(name => !Object.hasOwn(attributes, name))
  if (unknown !== undefined) throw unknownAttribute(attributes, unknown, at)
  const values = Object.entries(attributes).map(([name, { read }]) => [
    name,
    read(fields[name], `${at}.${name}`),
  ])
  return Object.fromEntries(values) as Values<Of>
}

function faultOf(attributes: Attributes, name: string, value: unknown, at: string): HoldfastError | null {
  const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  if (attribute === undefined) return unknownAttribute(attributes, name, at)
  try {
    attribute.read(value, `${at}.${name}`)
    return null
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
}

function unknownAttribute(attributes: Attributes, name: string, at: string): HoldfastError {
  const known = Object.keys(attributes).join(', ')
  return new HoldfastError('INVALID_ARGUMENT', `${at}.${name}: no attribute of this name; known are ${known}`)
}

function attr(name: string, type: string): object {
  return { Attr: { name, type, required: false } }
}

function checkText(value: unknown, at: string, takes: string, accepts: (value: string) => boolean): string {
  if (typeof value !== 'string' || value.includes('\0') || !accepts(value))
    throw invalidArgument(at, value === undefined ? Symbol('nothing') : value, takes)
  return value
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}
