import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Enforcement } from '../../api.ts'
import { hasRules, rulesText } from '../../command/destinations.ts'
import { HoldfastError } from '../../errors.ts'
import { rulesRow } from '../../platform/index.ts'
import { renameOver } from '../../spawn/rename-over.ts'
import { written } from '../stop-means.ts'
import { temporaryName } from '../task-directory.ts'

export type NetworkRules = { readonly allow: readonly string[] }

/**
 * Throws INVALID_ARGUMENT where the task was started without rules: it has another network, and no forwarder.
 */
export function requireRules({ network }: Pick<Command, 'network'>): void {
  if (hasRules(network)) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    'network: the task was started without rules, and they can be changed only where there are some',
    { hint: 'Start the task with command.network = { allow: [...] }; the list may be empty.' },
  )
}

/** Gives the forwarder other rules, in the place of those it has. False: there is no shim to tell. */
export function replaceRules(dir: string, { allow }: NetworkRules): boolean {
  const temporary = join(dir, temporaryName('egress.rules'))
  try {
    writeFileSync(temporary, rulesText(allow), { mode: 0o600 })
    renameOver(temporary, join(dir, 'egress.rules'))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  return written(dir, 'egress')
}

/** The row that says which destinations are allowed now. */
export function withRules(rows: readonly Enforcement[], { allow }: NetworkRules): readonly Enforcement[] {
  return rows.map(row => (row.name === 'network' ? rulesRow(allow) : row))
}
