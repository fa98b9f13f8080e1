import { existsSync } from 'node:fs'
import type { CgroupHost } from './cgroup-mode.ts'
import type { Parent } from './cgroup-parents.ts'
import type { Knob } from './knob.ts'
import type { Outcome } from './limit-rows.ts'

/**
 * Why a limit cannot be had whose controller is not where the task's cgroup would be. Null: nobody asked for
 * it.
 */
export function missingController(
  { controller, limit }: Pick<Knob, 'controller' | 'limit'>,
  parent: Parent,
  host: CgroupHost,
): Outcome | null {
  if (limit === null) return null
  const reason =
    host.unusable.get(controller) ??
    ('reason' in parent ? parent.reason : `the ${controller} controller is not available to ${parent.dir}`)
  return { status: 'skipped', reason, hint: missingHint(controller, parent, host) }
}

/** Why a limit cannot be had whose controller is there, and whose file is not. Null: nobody asked for it. */
export function missingFile({ files, limit }: Pick<Knob, 'files' | 'limit'>): Outcome | null {
  if (limit === null) return null
  const names = files.map(({ name }) => name).join(' nor ')
  return { status: 'skipped', reason: `the kernel offers no ${names}`, hint: 'a kernel configured with it' }
}

/** Of a task whose cgroups an orchestrator has made: it decides where the task is. */
export function notDelegated({ controller }: Pick<Knob, 'controller'>): Outcome {
  return {
    status: 'skipped',
    reason: `none of the cgroups that the task was given is of the ${controller} controller`,
    hint: 'give it one of that hierarchy when it is started',
  }
}

/** Of an exec session whose task has only cgroups that an orchestrator has made: nothing is made in those. */
export function noPlaceBelow({ controller }: Pick<Knob, 'controller'>): Outcome {
  return {
    status: 'skipped',
    reason: `the task has no cgroup of its own of the ${controller} controller, below which the exec session's could be`,
    hint: 'start the task without command.cgroups of that hierarchy',
  }
}

/** Of an exec session that runs. */
export function startedWithout({ controller }: Pick<Knob, 'controller'>): Outcome {
  return {
    status: 'skipped',
    reason: `the exec session was started without a cgroup of its own of the ${controller} controller`,
    hint: 'give it a limit of that kind before it is started',
  }
}

function missingHint(controller: string, parent: Parent, host: CgroupHost): string {
  if (host.unusable.has(controller)) return controllerHint(host, controller)
  if ('denied' in parent && parent.denied) return delegationHint(host)
  const delegated = 'dir' in parent && /\/user@\d+\.service\//.test(parent.dir)
  return delegated ? undelegatedHint(controller) : controllerHint(host, controller)
}

/** As every container has it that is not privileged: neither a chmod nor a delegation changes a mount. */
const readOnlyHint =
  'make the mount writable: mount -o remount,bind,rw on it (as root with CAP_SYS_ADMIN), or start the container with a writable one: docker run --privileged, or --cgroupns host -v /sys/fs/cgroup:/sys/fs/cgroup:rw'

function controllerHint(host: CgroupHost, controller: string): string {
  if (host.mode === 'none') return 'mount -t cgroup2 none /sys/fs/cgroup'
  if (host.unusable.has(controller)) return readOnlyHint
  if (controller === 'memory') return 'boot with cgroup_enable=memory'
  if (host.mode === 'v2')
    return `echo +${controller} > ${host.v2?.mount ?? '/sys/fs/cgroup'}/cgroup.subtree_control`
  const at = `/sys/fs/cgroup/${controller}`
  return `mkdir -p ${at} && mount -t cgroup -o ${controller} cgroup ${at}`
}

/**
 * How an ordinary user comes to a cgroup of its own. A v1 hierarchy is never delegated: there it could take
 * its limits off itself.
 */
function delegationHint({ mode }: CgroupHost): string {
  if (mode !== 'v2') return 'run as root (sudo)'
  if (existsSync('/run/systemd/system'))
    return 'sudo loginctl enable-linger "$USER", or run under: systemd-run --user --scope --property=Delegate=yes'
  return 'run as root (sudo), or in a cgroup that root has given to you: mkdir and chown -R it below /sys/fs/cgroup, and echo your shell into its cgroup.procs'
}

/** By default systemd delegates memory and pids to users, and not the rest. */
function undelegatedHint(controller: string): string {
  return `printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo systemctl edit --stdin user@.service   # for ${controller}; then log in anew`
}
