import { createRequire } from 'node:module'

/** What a job's `driver` says, and the label of the agent's `plugin` block. */
export const driverName = 'holdfast'

/** The package's. */
export function version(): string {
  const { version: text } = createRequire(import.meta.url)('holdfast/package.json') as { version: string }
  return text
}
