import { hostname } from 'node:os'
import type { Command } from '../../index.ts'
import type { AgentConfig } from '../config/agent-config.ts'
import type { TaskOptions } from '../config/task-config.ts'
import type { TaskConfig } from '../wire/task-messages.ts'
import { externalCgroups } from './cgroups.ts'
import { deviceNodes, jobMounts, nomadDirectories, parentsFirst, volumeMounts } from './mounts.ts'
import { networkOf } from './network.ts'
import { capabilitiesOf, namespacesOf, userOf } from './policy.ts'
import { programOf } from './program.ts'

type Policy = Pick<
  AgentConfig,
  'default_user' | 'allow_root' | 'allow_capabilities' | 'allow_mounts' | 'allow_ipc_host'
>

/**
 * A Nomad task as the library's command, without its streams. Throws PERMISSION for what this node does not
 * let jobs do, INVALID_ARGUMENT for what cannot be.
 */
export function commandOf(
  task: TaskConfig,
  options: TaskOptions,
  policy: Policy,
): Omit<Command, 'stdout' | 'stderr'> {
  const jobs = jobMounts(options, policy.allow_mounts)
  const ours = nomadDirectories(task, jobs.tmpfs)
  const cgroups = externalCgroups(task)
  const allowed = { user: userOf(task, policy), devices: deviceNodes(task), ...namespacesOf(options, policy) }
  const capabilities = capabilitiesOf(options.cap_add, policy.allow_capabilities)
  return {
    ...allowed,
    capabilities,
    // It is made executable only for a task that may start.
    path: programOf(task, options.command),
    args: [...options.args],
    env: { ...task.env },
    ...(options.work_dir !== null && { cwd: options.work_dir }),
    network: networkOf(task.network_isolation_spec, options.egress),
    ...hostnameOf(task),
    mounts: parentsFirst([...ours.mounts, ...volumeMounts(task), ...jobs.mounts]),
    tmpfs: [...ours.tmpfs, ...jobs.tmpfs],
    // The agent's own is -1000 where systemd starts it, and would be the task's too.
    oomScoreAdj: 0,
    ...(cgroups.length > 0 && { cgroups }),
  }
}

/**
 * The node's own, as with Nomad's drivers: programs register themselves by it. One that is no name of a host
 * (the kernel takes any) is left to the library.
 */
function hostnameOf({ network_isolation_spec: isolation }: TaskConfig): Pick<Command, 'hostname'> {
  const name = isolation?.hostsConfig?.hostname ?? ''
  if (name !== '') return { hostname: name }
  const isOurs = process.platform === 'linux' && /^[A-Za-z0-9.-]{1,64}$/.test(hostname())
  return isOurs ? { hostname: hostname() } : {}
}
