import { invalidArgument } from '../../invalid-argument.ts'

/** A number of cores. Throws INVALID_ARGUMENT. */
export function parseCores(flag: string, text: string): number {
  return parseNumber(flag, text, 'a number of cores, such as 0.5 or 2')
}

/** A decimal number; what range it may have is the library's to say. Throws INVALID_ARGUMENT. */
export function parseNumber(flag: string, text: string, takes = 'a number'): number {
  if (!/^\d{1,15}(?:\.\d{1,15})?$/.test(text)) throw invalidArgument(flag, text, takes)
  return Number(text)
}

/** Throws INVALID_ARGUMENT. */
export function parsePort(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw invalidArgument(flag, text, 'a port, 0 to 65535')
  return Number(text)
}

/** Throws INVALID_ARGUMENT. */
export function parseCount(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalidArgument(flag, text, 'a whole number, 0 or more')
  return Number(text)
}
