import { invalidArgument } from '../invalid-argument.ts'

/** Several fields that were put together before, with the separators between them. */
export type Joined = { readonly text: string; readonly separators: number }

/**
 * Throws INVALID_ARGUMENT for a NUL in a field; `body` is all of them, joined by it. One search of the whole
 * is several times faster than one per field: exactly the separators may be found. `joined`: one of them.
 */
export function refuseNul(fields: readonly string[], body: string, joined: Joined | null = null): void {
  let found = 0
  for (let at = body.indexOf('\0'); at !== -1; at = body.indexOf('\0', at + 1)) found++
  if (found === fields.length - 1 + (joined?.separators ?? 0)) return
  const index = fields.findIndex(field => field !== joined?.text && field.includes('\0'))
  // Not the field itself: it may be an environment's secret.
  throw invalidArgument('command', Symbol(`a NUL character near "${fields[index - 1]}"`), 'none')
}
