import type { Command } from '../../api.ts'
import { hasRules } from '../../command/destinations.ts'
import { wantsHostRoot } from '../../command/host-root.ts'
import { workspaceOf } from '../../command/workspace.ts'
import { HoldfastError } from '../../errors.ts'
import type { Row } from '../rows.ts'
import type { Right } from './access.ts'

/**
 * Options that cannot both be had. Throws UNSUPPORTED for what is not built, INVALID_ARGUMENT for the rest.
 */
export function refuseContradictions(command: Readonly<Command>, right: Right): void {
  const { namespaces = {}, hostname, root, network } = command
  refuseUserNamespace(namespaces.user, right)
  if (hostname !== undefined && namespaces.uts === false)
    throw contradiction('hostname', 'namespaces.uts: false', "the name would be the whole machine's")
  if (command.cgroups !== undefined && namespaces.pid === false)
    throw contradiction(
      'cgroups',
      'namespaces.pid: false',
      "without a pid namespace the task's processes are found by a cgroup of its own",
    )
  const isRules = hasRules(network)
  if (namespaces.network === false && (network === 'none' || isRules))
    throw contradiction(
      isRules ? 'network.allow' : "network: 'none'",
      'namespaces.network: false',
      `${isRules ? 'rules need' : 'no network means'} a network namespace of its own`,
    )
  const workspace = workspaceOf(command)
  if (workspace?.readOnly && workspace.overlay)
    throw contradiction(
      'workspace: { readOnly: true }',
      'overlay: true',
      'an overlay is there to be written to, and the directory itself is never',
    )
  if ((workspace?.readOnly || workspace?.overlay) && wantsHostRoot(command))
    throw contradiction(
      `workspace: { ${workspace.overlay ? 'overlay' : 'readOnly'}: true }`,
      root === 'host' ? "root: 'host'" : 'namespaces.mount: false',
      `it is ${workspace.overlay ? 'an overlay' : 'read-only'} in a root of the task's own`,
    )
  if (mountsAnything(command) && wantsHostRoot(command)) {
    const other = root === 'host' ? "root: 'host'" : 'namespaces.mount: false'
    throw contradiction(
      'mounts, tmpfs, devices or root.embed',
      other,
      "they are mounted in the task's own root",
    )
  }
}

/**
 * Who isolates as root gets none: its tasks are of another user without capabilities already, and inside one
 * a task could reach more of the kernel, not less. Everybody else's tasks are always in one: without it there
 * are no other namespaces either.
 */
function refuseUserNamespace(wanted: boolean | undefined, right: Right): void {
  if (wanted === true && right === 'root')
    throw new HoldfastError('UNSUPPORTED', 'namespaces.user: as root, tasks get no user namespace', {
      stage: 'namespace',
      hint: 'leave namespaces.user out: the task runs as nobody without capabilities anyway. An ordinary user gets one',
    })
  if (wanted === false && right !== 'root')
    throw new HoldfastError(
      'UNSUPPORTED',
      'namespaces.user: false, and whoever is not root with all its power has no other isolation without a user namespace',
      { stage: 'namespace', hint: 'leave namespaces.user out, or use the basic executor' },
    )
}

function mountsAnything({
  mounts = [],
  tmpfs = [],
  devices = [],
  root,
}: Pick<Command, 'mounts' | 'tmpfs' | 'devices' | 'root'>): boolean {
  return mounts.length + tmpfs.length + devices.length > 0 || typeof root === 'object'
}

/** Mounts that were asked for are never dropped in silence. */
export function refuseLostMounts(command: Readonly<Command>, { reason, hint }: Row): void {
  if (!mountsAnything(command)) return
  throw new HoldfastError(
    'UNSUPPORTED',
    `mounts, tmpfs, devices and root.embed need a root of the task's own: ${reason}`,
    { stage: 'namespace', ...(hint !== null && { hint }) },
  )
}

function contradiction(one: string, other: string, why: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${one} cannot go with ${other}: ${why}`, {
    hint: 'leave one of them out',
  })
}
