import { parseDuration } from './duration.ts'
import { invalidArgument } from '../../invalid-argument.ts'

/** A time of day as RFC 3339 has it, or how long ago. Throws INVALID_ARGUMENT. */
export function parseSince(flag: string, text: string, now: () => number = Date.now): Date {
  if (/^\d{4}-\d{2}-\d{2}([T ]|$)/.test(text)) {
    const at = new Date(text)
    if (!Number.isNaN(at.getTime())) return at
  }
  try {
    return new Date(now() - parseDuration(flag, text))
  } catch {
    throw invalidArgument(flag, text, 'a time such as 10m (ago) or 2026-01-31T12:00:00Z')
  }
}
