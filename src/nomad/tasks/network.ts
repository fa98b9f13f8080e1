import type { Command } from '../../index.ts'
import type { NetworkIsolation } from '../wire/task-messages.ts'

const modes = { host: 0, group: 1, task: 2, none: 3 } as const

/**
 * The namespace that Nomad has made for the allocation, the host's, or none at all. Throws for a mode nobody
 * has listed.
 */
export function networkOf(isolation: NetworkIsolation | null): NonNullable<Command['network']> {
  if (isolation === null || isolation.mode === modes.host) return 'host'
  if (isolation.path !== '') return { path: isolation.path }
  if (isolation.mode === modes.none) return 'none'
  throw new Error(`network mode ${isolation.mode} names no namespace to join`)
}
