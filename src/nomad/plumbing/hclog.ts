/** The levels of HashiCorp's hclog. */
export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/**
 * One line of the agent's log. Never put an environment or a job's configuration there: both hold secrets.
 */
export type Log = (level: Level, message: string, details?: Readonly<Record<string, string | number>>) => void

/** Longer lines are shown raw by the agent. */
const longestMessage = 16_384

/**
 * A line in hclog's JSON. The three keys with `@` have to be strings, or the whole agent panics; the time has
 * to have exactly six digits after the point, or the line is shown raw.
 */
export function hclogLine(
  level: Level,
  message: string,
  details: Readonly<Record<string, string | number>> = {},
  at = new Date(),
): string {
  const own = {
    '@level': level,
    '@message': message.slice(0, longestMessage),
    '@module': 'holdfast',
    '@timestamp': at.toISOString().replace('Z', '000Z'),
  }
  return `${JSON.stringify({ ...details, ...own })}\n`
}

/** To standard error, which the agent reads. When it is gone, lines are lost and nothing else happens. */
export const logToAgent: Log = (level, message, details) => {
  process.stderr.write(hclogLine(level, message, details))
}
