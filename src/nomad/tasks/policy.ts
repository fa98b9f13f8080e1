import { type Command, HoldfastError } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'

/** How Nomad's client calls a user of its pool, which no account has: its number is the group's, too. */
const pooled = /^nomad-(\d+)$/
const maxId = 2 ** 31 - 1

/**
 * Who a task runs as; a number as digits. Throws PERMISSION for root, where the node does not allow it,
 * INVALID_ARGUMENT for a number that is none of Nomad's.
 */
export function userOf(
  { user }: Pick<TaskConfig, 'user'>,
  { default_user, allow_root }: Pick<AgentConfig, 'default_user' | 'allow_root'>,
): string {
  const named = user || (default_user ?? 'nobody')
  const wanted = pooled.exec(named)?.[1] ?? named
  if (wanted !== named && Number(wanted) > maxId)
    throw invalidArgument('user', named, `a number up to ${maxId} after "nomad-"`)
  if (!allow_root && (wanted === 'root' || /^0+$/.test(wanted)))
    throw new HoldfastError('PERMISSION', 'user: this node does not run jobs as root', {
      hint: "allow_root in the agent's plugin configuration changes that",
    })
  return wanted
}

/**
 * What a task keeps. `cap_drop` takes nothing away: where Nomad's `exec` starts from a list, a task here
 * starts from none.
 */
export function capabilitiesOf(asked: readonly string[], allowed: readonly string[]): string[] {
  const known = new Set(allowed.map(plain))
  if (asked.some(name => plain(name) === 'ALL')) return [...known].map(name => `CAP_${name}`)
  const refused = asked.find(name => !known.has(plain(name)))
  if (refused === undefined) return asked.map(name => `CAP_${plain(name)}`)
  throw new HoldfastError(
    'PERMISSION',
    `config.cap_add: this node's allow_capabilities does not include ${refused}`,
    {
      hint: "allow_capabilities in the agent's plugin configuration lists what it gives",
    },
  )
}

function plain(capability: string): string {
  return capability.toUpperCase().replace(/^CAP_/, '')
}

/** Throws PERMISSION where the node does not allow it, UNSUPPORTED for the node's processes. */
export function namespacesOf(
  { pid_mode, ipc_mode }: Pick<TaskOptions, 'pid_mode' | 'ipc_mode'>,
  { allow_ipc_host }: Pick<AgentConfig, 'allow_ipc_host'>,
): Pick<Command, 'namespaces'> {
  if (pid_mode === 'host')
    throw new HoldfastError('UNSUPPORTED', 'config.pid_mode: a task here has processes of its own', {
      hint: 'leave pid_mode out, or make it "private"',
    })
  if (ipc_mode !== 'host') return {}
  if (!allow_ipc_host)
    throw new HoldfastError('PERMISSION', 'config.ipc_mode: this node does not share its IPC namespace', {
      hint: "allow_ipc_host in the agent's plugin configuration changes that",
    })
  return { namespaces: { ipc: false } }
}
