import { HoldfastError, type HoldfastErrorDetails } from './errors.ts'

/**
 * The error for a bad value: names the field, what it got (a symbol: in words) and what it takes. `more`: a
 * hint, or other details.
 */
export function invalidArgument(
  field: string,
  got: unknown,
  takes: string,
  more: string | HoldfastErrorDetails = {},
): HoldfastError {
  const details = typeof more === 'string' ? { hint: more } : more
  return new HoldfastError('INVALID_ARGUMENT', `${field}: got ${describe(got)}, takes ${takes}`, details)
}

const longest = 80

/**
 * A value as short JSON; what JSON has no word for (NaN, functions, bigints, cycles) is named instead; a
 * symbol stands for its description.
 */
export function describe(value: unknown): string {
  const text = asText(value)
  return text.length > longest ? `${text.slice(0, longest)}... (${text.length} characters)` : text
}

function asText(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol') return value.description || 'a symbol'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return JSON.stringify(value)
  try {
    return JSON.stringify(value) ?? `a ${typeof value}`
  } catch {
    return 'an object that is not JSON'
  }
}
