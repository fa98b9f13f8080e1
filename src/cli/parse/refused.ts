import { HoldfastError } from '../../index.ts'

/** The error for a flag's value: names the flag, what it got and what it takes. */
export function refused(flag: string, got: string, takes: string, hint?: string): HoldfastError {
  const shown = got.length > 80 ? `${got.slice(0, 80)}...` : got
  return new HoldfastError('INVALID_ARGUMENT', `${flag}: got ${JSON.stringify(shown)}, takes ${takes}`, {
    hint,
  })
}
