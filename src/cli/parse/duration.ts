import { invalidArgument } from '../../invalid-argument.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * `500ms`, `5s`, `1.5m`, `1h` in milliseconds. A number without a unit could be any of them, and is refused.
 * Throws INVALID_ARGUMENT.
 */
export function parseDuration(flag: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text) ?? []
  const milliseconds = Math.round(Number(number) * (units[unit] ?? 0))
  if (number === '' || !Number.isSafeInteger(milliseconds)) {
    throw invalidArgument(flag, text, 'a time such as 500ms, 5s, 2m or 1h')
  }
  return milliseconds
}
