import type { Command } from '../../api.ts'
import { HoldfastError } from '../../errors.ts'
import { configOf } from './kernel-features.ts'

/** Options that cannot both be had. Throws UNSUPPORTED for what is not built, INVALID_ARGUMENT for the rest. */
export function refuseContradictions(command: Readonly<Command>): void {
  const { namespaces = {}, hostname, root, network } = command
  if (namespaces.user === true)
    throw new HoldfastError('UNSUPPORTED', 'namespaces.user: user namespaces are not supported yet', {
      stage: 'namespace',
      hint: 'leave namespaces.user out; the task runs as nobody without capabilities anyway',
    })
  if (hostname !== undefined && namespaces.uts === false)
    throw contradiction('hostname', 'namespaces.uts: false', "the name would be the whole machine's")
  if (command.cgroups !== undefined && namespaces.pid === false)
    throw contradiction(
      'cgroups',
      'namespaces.pid: false',
      "without a pid namespace the task's processes are found by a cgroup of its own",
    )
  if (namespaces.network === false && network === 'none')
    throw contradiction(
      "network: 'none'",
      'namespaces.network: false',
      'no network means a network namespace of its own',
    )
  if (mountsAnything(command) && (namespaces.mount === false || root === 'host')) {
    const other = root === 'host' ? "root: 'host'" : 'namespaces.mount: false'
    throw contradiction(
      'mounts, tmpfs, devices or root.embed',
      other,
      "they are mounted in the task's own root",
    )
  }
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
export function refuseLostMounts(command: Readonly<Command>): void {
  if (!mountsAnything(command)) return
  throw new HoldfastError(
    'UNSUPPORTED',
    'mounts, tmpfs, devices and root.embed need mount namespaces, which this kernel does not have',
    {
      stage: 'namespace',
      hint: `a kernel with ${configOf('mount')}`,
    },
  )
}

function contradiction(one: string, other: string, why: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `${one} cannot go with ${other}: ${why}`, {
    hint: 'leave one of them out',
  })
}
