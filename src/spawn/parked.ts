import { HoldfastError } from '../errors.ts'

const variable = 'HOLDFAST_PARKED'
/** At most four, as parked.c takes it, kept for less than 1,000 seconds. */
const pattern = /^[0-4](,[1-9]\d{0,5})?$/

/**
 * What the spawner is told of the shims that it makes before they are asked for (parked.h): by default
 * nothing. HOLDFAST_PARKED, for measurements and tests: how many at most, 0 to 4, and after a comma how many
 * milliseconds they are kept. Throws INVALID_ARGUMENT for anything else.
 */
export function parkedArguments(value = process.env[variable]): readonly string[] {
  if (value === undefined || value === '') return []
  if (!pattern.test(value))
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `${variable}: got ${JSON.stringify(value)}; it takes 0 to 4, and after a comma 1 to 999999 milliseconds: 2,500`,
    )
  return [`parked=${value}`]
}
