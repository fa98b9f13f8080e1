import { type Command, HoldfastError } from '../../index.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { NetworkIsolation } from '../wire/task-messages.ts'

const modes = { host: 0, group: 1, task: 2, none: 3 } as const

/**
 * The job's own destinations, the namespace that Nomad has made for the allocation, the host's, or none at
 * all. Throws UNSUPPORTED for destinations in an allocation's network, and for a mode that is not known.
 */
export function networkOf(
  isolation: NetworkIsolation | null,
  egress: TaskOptions['egress'],
): NonNullable<Command['network']> {
  const isHost = isolation === null || isolation.mode === modes.host
  if (egress !== null) {
    if (!isHost && isolation.path !== '')
      throw new HoldfastError('UNSUPPORTED', "config.egress: the task is in its group's network", {
        hint: 'leave out config.egress, or the network block of the group',
      })
    return { allow: [...egress.allow] }
  }
  if (isHost) return 'host'
  if (isolation.path !== '') return { path: isolation.path }
  if (isolation.mode === modes.none) return 'none'
  throw new Error(`network mode ${isolation.mode} names no namespace to join`)
}
