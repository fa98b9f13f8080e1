import type { Command, Enforcement, Resources } from '../../api.ts'
import { insideWhat } from '../inside.ts'
import { requestedLimits } from '../limits.ts'
import type { HostTask } from '../port.ts'
import { enforced, loosened, type Row, skipped } from '../rows.ts'

const mend = 'use the linux executor: newLinuxExecutor(), or holdfast run without --basic'
const reason = 'the basic executor has no limits and no isolation'

/** One row per limit and per isolation that was asked for; what was not asked for is not reported. */
export function basicRows(command: Readonly<Command>, resources: Resources, inside?: HostTask | null): Row[] {
  return [
    ...(inside ? [loosened(insideWhat(inside), alongside)] : []),
    ...basicLimitRows(resources),
    ...requestedIsolation(command).map(({ loose, ...what }) =>
      loose ? loosened(what) : skipped(what, reason, mend),
    ),
    ...(command.user === undefined && command.group === undefined ? [] : [userRow(command)]),
  ]
}

export function basicLimitRows(resources: Resources): Row[] {
  // The wall time is the shim's own clock, so it holds everywhere.
  return requestedLimits(resources).map(what =>
    what.name === 'wallTimeMs' ? enforced(what) : skipped(what, reason, mend),
  )
}

const alongside =
  "a process beside the task's, in the same directory: the basic executor has nothing to share"

function userRow({ user, group }: Readonly<Command>): Row {
  const requested = [user, group].filter(part => part !== undefined).join(':')
  const what = { name: 'user', kind: 'isolation', requested } as const
  return user === 0 || user === 'root' || user === '0' ? loosened(what) : enforced(what)
}

type Wish = Pick<Enforcement, 'name' | 'kind' | 'requested'> & { readonly loose: boolean }

function requestedIsolation(command: Readonly<Command>): Wish[] {
  const {
    namespaces = {},
    network,
    root,
    capabilities,
    noNewPrivileges,
    seccomp,
    hostname,
    mounts,
    tmpfs,
    devices,
    cgroups,
  } = command
  const wishes = Object.entries(namespaces).map(([name, own]) =>
    wish(`namespace.${name}`, own ? 'own' : 'host', !own),
  )
  if (network !== undefined)
    wishes.push(wish('network', typeof network === 'object' ? network.path : network, network === 'host'))
  if (root !== undefined) wishes.push(wish('root', root === 'host' ? 'host' : 'embedded', root === 'host'))
  if (capabilities !== undefined) wishes.push(wish('capabilities', capabilities.join(', ') || 'none', false))
  if (noNewPrivileges !== undefined)
    wishes.push(wish('noNewPrivileges', noNewPrivileges ? 'on' : 'off', !noNewPrivileges))
  if (seccomp !== undefined) wishes.push(wish('seccomp', seccomp, seccomp === 'off'))
  if (hostname !== undefined) wishes.push(wish('hostname', hostname, false))
  for (const { target } of mounts ?? []) wishes.push(wish('mounts', target, false))
  for (const { target } of tmpfs ?? []) wishes.push(wish('tmpfs', target, false))
  for (const device of devices ?? []) wishes.push(wish('devices', device, false))
  for (const path of cgroups ?? []) wishes.push(wish('cgroups', path, false))
  return wishes
}

function wish(name: string, requested: string, loose: boolean): Wish {
  return { name, kind: 'isolation', requested, loose }
}
