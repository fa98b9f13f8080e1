import { UsageError } from '../usage-error.ts'

/** The error for a flag's value: names the flag, what it got and what it takes. */
export function refused(flag: string, got: string, takes: string, hint?: string): UsageError {
  const shown = got.length > 80 ? `${got.slice(0, 80)}...` : got
  return new UsageError(`${flag}: got ${JSON.stringify(shown)}, takes ${takes}`, { hint })
}
