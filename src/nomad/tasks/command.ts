import type { Command } from '../../index.ts'
import { HoldfastError } from '../../index.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'
import { externalCgroups } from './cgroups.ts'
import { deviceNodes, jobMounts, nomadDirectories, parentsFirst, volumeMounts } from './mounts.ts'
import { networkOf } from './network.ts'
import { programOf } from './program.ts'
import { streams } from './streams.ts'

type Policy = Pick<
  AgentConfig,
  | 'default_user'
  | 'allow_root'
  | 'allow_capabilities'
  | 'allow_mounts'
  | 'allow_ipc_host'
  | 'collect_logs'
  | 'log_max_files'
  | 'log_max_file_size'
>

/**
 * A Nomad task as the library's command. Throws PERMISSION for what this node does not let jobs do,
 * INVALID_ARGUMENT for what cannot be.
 */
export function commandOf(task: TaskConfig, options: TaskOptions, policy: Policy): Command {
  const ours = nomadDirectories(task)
  const jobs = jobMounts(options, policy.allow_mounts)
  const cgroups = externalCgroups(task)
  return {
    path: programOf(task, options.command),
    args: [...options.args],
    env: { ...task.env },
    ...(options.work_dir !== null && { cwd: options.work_dir }),
    user: userOf(task, policy),
    ...streams(task, options, policy),
    network: networkOf(task.network_isolation_spec, options.egress),
    ...hostname(task),
    mounts: parentsFirst([...ours.mounts, ...volumeMounts(task), ...jobs.mounts]),
    tmpfs: [...ours.tmpfs, ...jobs.tmpfs],
    devices: deviceNodes(task),
    capabilities: capabilities(options.cap_add, policy.allow_capabilities),
    ...sharedNamespaces(options, policy),
    // The agent's own is -1000 where systemd starts it, and would be the task's too.
    oomScoreAdj: 0,
    ...(cgroups.length > 0 && { cgroups }),
  }
}

function userOf({ user }: TaskConfig, { default_user, allow_root }: Policy): string {
  const wanted = user || (default_user ?? 'nobody')
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
function capabilities(asked: readonly string[], allowed: readonly string[]): string[] {
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
function sharedNamespaces(
  { pid_mode, ipc_mode }: TaskOptions,
  { allow_ipc_host }: Policy,
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

function hostname({ network_isolation_spec: isolation }: TaskConfig): Pick<Command, 'hostname'> {
  const name = isolation?.hostsConfig?.hostname ?? ''
  return name === '' ? {} : { hostname: name }
}
