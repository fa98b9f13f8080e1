import type * as z from 'zod/mini'
import type { PlainCommand, Resources, TerminalSize } from '../api.ts'
import type { HoldfastError } from '../errors.ts'
import { commandSchema, networkRules, terminalSize } from './command-schema.ts'
import { invalidArgument } from '../invalid-argument.ts'
import { resourcesSchema } from './resources-schema.ts'

/**
 * Limits from plain JavaScript: a checked, deeply frozen copy that is plain JSON. Infinity in `rlimits`
 * becomes -1, which JSON can hold. Throws INVALID_ARGUMENT naming the field, what it got and what it takes.
 */
export function parseResources(value: unknown, name = 'resources'): Resources {
  return checked(name, value, resourcesSchema()) as Resources
}

/** A command from plain JavaScript, likewise. Values of `env` are not shown in errors. */
export function parseCommand(value: unknown): Readonly<PlainCommand> {
  return checked('command', value, commandSchema()) as PlainCommand
}

/** The size of a terminal, likewise. */
export function parseTerminalSize(value: unknown): TerminalSize {
  return checked('size', value, terminalSize()) as TerminalSize
}

/** What is to change of a running task, likewise: limits, and network rules where some are named. */
export function parseUpdate(value: unknown): {
  resources: Resources
  rules: { readonly allow: readonly string[] } | null
} {
  if (!isPlain(value) || value.network === undefined) return { resources: parseResources(value), rules: null }
  const { network, ...resources } = value
  const rules = checked('network', network, networkRules()) as { allow: readonly string[] }
  return { resources: parseResources(resources), rules }
}

/**
 * The copy comes first: what is checked is what will be used, whatever getters, proxies or later writes do to
 * the original.
 */
function checked(name: string, value: unknown, schema: z.ZodMiniType): unknown {
  const copy = frozenCopy(value, 0)
  const result = schema.safeParse(copy)
  if (result.success) return copy
  throw issueRefusal(name, copy, result.error)
}

// Deeper than any valid value. What lies deeper (a cycle, say) stays as it is and is refused where it is.
const deepest = 6

function frozenCopy(value: unknown, depth: number, unlimited = false): unknown {
  if (unlimited && value === Number.POSITIVE_INFINITY) return -1
  if (depth > deepest) return value
  if (Array.isArray(value)) return Object.freeze(value.map(item => frozenCopy(item, depth + 1, unlimited)))
  // The environment of this program is an exotic object, and the one that is most often passed on.
  if (value === process.env) return frozenCopy({ ...process.env }, depth, unlimited)
  // A Map or an instance with accessors would copy to an object without fields, and its limits be lost
  // without a word.
  if (!isPlain(value)) return typeof value === 'object' && value !== null ? unusable(value) : value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const copies = entries.map(([key, item]) => {
    return [key, frozenCopy(item, depth + 1, unlimited || (depth === 0 && key === 'rlimits'))] as const
  })
  return Object.freeze(Object.fromEntries(copies))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // Not compared with Object.prototype: a value may come from another realm (vm, a test runner).
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Words that stand for a value in an error: describe() shows a symbol by its description. */
function unusable(value: object): symbol {
  return Symbol(`an instance of ${value.constructor?.name || 'a class'}`)
}

function issueRefusal(name: string, value: unknown, error: z.core.$ZodError): HoldfastError {
  const [issue] = error.issues
  const unknownField = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...(issue?.path ?? []), ...unknownField]
  const field = path.reduce<string>(
    (text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
    name,
  )
  const got = path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  )
  return invalidArgument(field, secret(name, path) ? hidden(got) : got, issue?.message ?? 'something else')
}

/** Environments carry secrets, and errors end in logs. */
function secret(name: string, path: readonly PropertyKey[]): boolean {
  return name === 'command' && path[0] === 'env'
}

function hidden(value: unknown): unknown {
  if (typeof value === 'string') return Symbol(`a string of ${value.length} characters`)
  return typeof value === 'object' && value !== null ? Symbol('an object') : value
}
