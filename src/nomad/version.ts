import { version as ownVersion } from '../package-root.ts'

/** What a job's `driver` says, and the label of the agent's `plugin` block. */
export const driverName = 'holdfast'

/** The package's. */
export function version(): string {
  return ownVersion
}
