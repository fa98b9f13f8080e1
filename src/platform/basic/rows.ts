import type { Command, Enforcement, Resources } from '../../api.ts'
import { hasRules, wordsOfRules } from '../../command/destinations.ts'
import { workspaceOf, wordsOf } from '../../command/workspace.ts'
import { byShim, insideWhat } from '../exec-rows.ts'
import { requestedLimits } from '../limits.ts'
import { withOutputRow } from '../output-limit.ts'
import type { TargetTask } from '../port.ts'
import { enforced, loosened, networkByDefault, type Row, skipped } from '../rows.ts'

export const hint =
  process.platform === 'linux'
    ? 'use the linux executor: newLinuxExecutor(), or holdfast run without --basic'
    : 'run it on Linux, where there are limits and isolation'
const reason = 'the basic executor has no limits and no isolation'
const asCalled = 'the basic executor was called for by name: it has no isolation'

type Called = {
  readonly inside?: TargetTask | null
  /**
   * The caller has called for this executor by its name: what it does not isolate by default was a choice.
   */
  readonly byName: boolean
  /** Null where the system has no user numbers. */
  readonly uid: number | null
}

/**
 * One row per limit that was asked for, and one per isolation, asked for or default: what is asked for is
 * never chosen to be left out.
 */
export function basicRows(command: Readonly<Command>, resources: Resources, called: Called): Row[] {
  const { inside, byName } = called
  return [
    ...(inside ? [loosened(insideWhat(inside), alongside)] : []),
    ...withOutputRow(basicLimitRows(resources), command),
    ...isolationOf(command, called).map(({ wish, ...what }) => {
      if (wish === 'less') return loosened(what)
      if (wish === 'default' && byName) return loosened(what, asCalled, hint)
      return skipped(what, reason, hint)
    }),
    ...workspaceRows(command, byName),
    ...(command.network === undefined ? [networkByDefault] : []),
    ...(command.user === undefined && command.group === undefined ? [] : [userRow(command)]),
  ]
}

export function basicLimitRows(resources: Resources): Row[] {
  return requestedLimits(resources).map(what =>
    byShim.has(what.name) ? enforced(what) : skipped(what, reason, hint),
  )
}

/** What a task is to be shown read-only it was asked to be kept from. */
function workspaceRows(command: Readonly<Command>, byName: boolean): Row[] {
  const asked = workspaceOf(command)
  if (asked === null) return []
  const what = { name: 'workspace', kind: 'isolation', requested: wordsOf(asked) } as const
  const left = 'the task begins in its workspace, and nothing keeps it in there'
  return [
    byName && !asked.readOnly
      ? loosened(what, `${asCalled}: ${left}`, hint)
      : skipped(what, asked.readOnly ? `${left}, nor from writing` : left, hint),
  ]
}

const alongside =
  "a process beside the task's, in the same directory: the basic executor has nothing to share"

function userRow({ user, group }: Readonly<Command>): Row {
  const requested = [user, group].filter(part => part !== undefined).join(':')
  const what = { name: 'user', kind: 'isolation', requested } as const
  return user === 0 || user === 'root' || user === '0' ? loosened(what) : enforced(what)
}

type Isolation = Pick<Enforcement, 'name' | 'kind' | 'requested'> & {
  readonly wish: 'more' | 'less' | 'default'
}

const namespaces = ['mount', 'pid', 'ipc', 'uts', 'cgroup'] as const

function isolationOf(command: Readonly<Command>, { uid }: Called): Isolation[] {
  const { network, root, capabilities, noNewPrivileges, seccomp, user, group } = command
  const asked = command.namespaces ?? {}
  // An ordinary user's namespaces all rest on one of its own.
  const own = uid === 0 ? namespaces : (['user', ...namespaces] as const)
  const others = Object.keys(asked).filter(name => !own.some(known => known === name))
  return [
    ...[...own, ...others].map(name => ofSwitch(`namespace.${name}`, asked[name as 'mount'], 'own', 'host')),
    ...(network === undefined ? [] : [ofNetwork(network)]),
    root === undefined
      ? isolation('root', 'own', 'default')
      : isolation('root', root === 'host' ? 'host' : 'embedded', root === 'host' ? 'less' : 'more'),
    ...(user === undefined && group === undefined ? [isolation('user', 'nobody', 'default')] : []),
    capabilities === undefined
      ? isolation('capabilities', 'none', 'default')
      : isolation('capabilities', capabilities.join(', ') || 'none', 'more'),
    ofSwitch('noNewPrivileges', noNewPrivileges, 'on', 'off'),
    ofSwitch('seccomp', seccomp === undefined ? undefined : seccomp === 'default', 'default', 'off'),
    ...devicesOf(command),
    ...placed(command),
  ]
}

function ofSwitch(name: string, asked: boolean | undefined, on: string, off: string): Isolation {
  if (asked === undefined) return isolation(name, on, 'default')
  return asked ? isolation(name, on, 'more') : isolation(name, off, 'less')
}

function ofNetwork(network: NonNullable<Command['network']>): Isolation {
  if (hasRules(network)) return isolation('network', wordsOfRules(network.allow), 'more')
  if (typeof network === 'object') return isolation('network', network.path, 'more')
  return isolation('network', network, network === 'host' ? 'less' : 'more')
}

function devicesOf({ devices = [], root }: Readonly<Command>): Isolation[] {
  if (devices.length > 0) return devices.map(device => isolation('devices', device, 'more'))
  return [
    root === 'host'
      ? isolation('devices', "the host's", 'less')
      : isolation('devices', 'the usual six', 'default'),
  ]
}

/** What would lie in a root of its own, and there is none. */
function placed({ hostname, mounts = [], tmpfs = [], cgroups = [] }: Readonly<Command>): Isolation[] {
  return [
    ...(hostname === undefined ? [] : [isolation('hostname', hostname, 'more')]),
    ...mounts.map(({ target }) => isolation('mounts', target, 'more')),
    ...tmpfs.map(({ target }) => isolation('tmpfs', target, 'more')),
    ...cgroups.map(path => isolation('cgroups', path, 'more')),
  ]
}

function isolation(name: string, requested: string, wish: Isolation['wish']): Isolation {
  return { name, kind: 'isolation', requested, wish }
}
