import type { Command } from '../../api.ts'
import type { LaunchSpec } from '../../spawn/spec.ts'
import { destinationRules, forwarderPort, hasRules } from '../../command/destinations.ts'
import { HoldfastError } from '../../errors.ts'
import {
  askedFor,
  enforced,
  loosened,
  networkByDefault,
  type Row,
  rulesRow,
  skipped,
  weakened,
} from '../rows.ts'
import type { Access } from './access.ts'
import { wantsHostRoot } from '../../command/host-root.ts'
import { refuseContradictions, refuseLostMounts } from './contradictions.ts'
import { type KernelFeatures, missingNamespace } from './kernel-features.ts'
import { type Landlocked, landlockOf, networkRow, offlineRow } from './landlock.ts'

/** What of the kernel's isolation a task gets, decided from the command and from what this kernel has. */
export type Isolation = {
  readonly namespaces: LaunchSpec['namespaces']
  readonly networkPath: string | null
  readonly egress: LaunchSpec['egress']
  readonly hostname: string | null
  /** The task gets a root of its own. */
  readonly ownRoot: boolean
  readonly seccomp: boolean
  /** It was to have no network, and is in the host's all the same. */
  readonly offline: boolean
  readonly noNewPrivileges: boolean
  /** Null: they are left alone, for want of the right to give them up. */
  readonly capabilities: readonly string[] | null
  readonly landlock: Landlocked
  readonly rows: readonly Row[]
}

const byDefault = ['mount', 'pid', 'ipc', 'uts', 'cgroup'] as const

/** What of it depends on the command alone, and not on the task's name. */
export type Walls = Omit<Isolation, 'hostname'>

/** Throws UNSUPPORTED for what is not built, INVALID_ARGUMENT for options that contradict each other. */
export function isolationOf(command: Readonly<Command>, taskName: string, access: Access): Isolation {
  return withHostname(wallsOf(command, access), command, taskName)
}

export function withHostname(walls: Walls, command: Readonly<Command>, taskName: string): Isolation {
  const own = walls.namespaces.includes('uts')
  return { ...walls, hostname: own ? (command.hostname ?? hostnameOf(taskName)) : null }
}

/** Throws as {@link isolationOf} does. */
export function wallsOf(command: Readonly<Command>, access: Access): Walls {
  const { kernel } = access
  refuseContradictions(command, access.right)
  const rows: Row[] = userNamespaceRows(access)
  const namespaces = byDefault.filter(name => {
    const row = namespaceRow(name, command.namespaces?.[name], kernel)
    rows.push(row)
    return row.status === 'enforced'
  })
  const network = networkOf(command, kernel)
  const ownRoot = namespaces.includes('mount') && command.root !== 'host' && !kernel.denied?.has('root')
  const landlock = landlockOf(command, {
    version: kernel.landlock ?? 0,
    root: ownRoot ? 'own' : wantsHostRoot(command) ? 'host' : 'none',
    ownProcesses: namespaces.includes('pid') || command.namespaces?.pid !== false,
    hostNetwork: !network.own && network.path === null,
  })
  const wantsSeccomp = command.seccomp !== 'off'
  const seccomp = wantsSeccomp && kernel.seccomp
  const offline = seccomp && isMissing(network.row)
  rows.push(
    offline ? offlineRow(network.row, landlock, kernel.landlock ?? 0) : networkRow(network.row, landlock),
  )
  const root = rootRow(command, ownRoot, { kernel, landlock })
  if (!root.chosen) refuseLostMounts(command, root)
  const noNewPrivileges = command.noNewPrivileges ?? true
  const capabilities = capabilitiesOf(command.capabilities ?? [], noNewPrivileges, access)
  rows.push(
    root,
    capabilities.row,
    switchRow('noNewPrivileges', 'on', noNewPrivileges),
    wantsSeccomp && !kernel.seccomp ? seccompMissing : switchRow('seccomp', 'default', wantsSeccomp),
    devicesRow(command, root),
    landlock.row,
  )
  return {
    namespaces: network.own ? [...namespaces, 'network'] : namespaces,
    networkPath: network.path,
    egress: network.egress ?? null,
    ownRoot,
    seccomp,
    offline,
    noNewPrivileges,
    capabilities: capabilities.kept,
    landlock,
    rows,
  }
}

/** RFC 1123: letters, digits and hyphens, 63 at most, no hyphen at the ends. */
export function hostnameOf(taskName: string): string {
  const clean = taskName
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')
  return clean === '' ? 'task' : clean
}

function namespaceRow(
  name: (typeof byDefault)[number],
  wanted: boolean | undefined,
  kernel: KernelFeatures,
): Row {
  const what = {
    name: `namespace.${name}`,
    kind: 'isolation',
    requested: wanted === false ? 'host' : 'own',
  } as const
  if (wanted === false) return loosened(what)
  if (kernel.namespaces.has(name)) return enforced(what)
  const { reason, hint } = missingNamespace(name, kernel)
  return skipped(what, reason, hint)
}

/** All others rest on it. Root with all its power needs none, and gets none. */
function userNamespaceRows({ right, kernel }: Access): Row[] {
  if (right === 'root') return []
  const what = { name: 'namespace.user', kind: 'isolation', requested: 'own' } as const
  if (right === 'user-namespace') return [enforced(what)]
  const { reason, hint } = missingNamespace('user', kernel)
  return [skipped(what, reason, hint)]
}

function networkOf(
  command: Readonly<Command>,
  kernel: KernelFeatures,
): { own: boolean; path: string | null; row: Row; egress?: LaunchSpec['egress'] } {
  const { network, namespaces } = command
  if (hasRules(network)) return withRules(network.allow, kernel)
  const what = {
    name: 'network',
    kind: 'isolation',
    requested: typeof network === 'object' ? network.path : (network ?? 'host'),
  } as const
  const own = network === 'none' || (network === undefined && namespaces?.network === true)
  if (!own && typeof network !== 'object') {
    const row = network === undefined ? networkByDefault : loosened(what, askedFor, networkByDefault.hint)
    return { own: false, path: null, row }
  }
  if (!kernel.namespaces.has('network')) {
    const { reason, hint } = missingNamespace('network', kernel)
    const requested = own ? 'none' : what.requested
    return { own: false, path: null, row: skipped({ ...what, requested }, reason, hint) }
  }
  if (typeof network === 'object') return { own: false, path: network.path, row: enforced(what) }
  return { own: true, path: null, row: enforced({ ...what, requested: 'none' }) }
}

/** Never less than was asked for: whoever names the destinations has a reason for each that is not there. */
function withRules(allow: readonly string[], kernel: KernelFeatures) {
  if (!kernel.namespaces.has('network')) {
    const { reason, hint } = missingNamespace('network', kernel)
    throw new HoldfastError('UNSUPPORTED', `command.network.allow: ${reason}`, {
      stage: 'network',
      ...(hint !== null && { hint }),
    })
  }
  const rules = allow.flatMap(destination => destinationRules(destination) ?? [])
  return { own: true, path: null, row: rulesRow(allow), egress: { port: forwarderPort, rules } }
}

/** One of its own was asked for, and cannot be had. */
function isMissing({ status, requested, chosen }: Row): boolean {
  return status === 'skipped' && !chosen && requested === 'none'
}

type Ground = { readonly kernel: KernelFeatures; readonly landlock: Landlocked }

function rootRow(
  { root, namespaces }: Readonly<Command>,
  ownRoot: boolean,
  { kernel, landlock }: Ground,
): Row {
  const what = {
    name: 'root',
    kind: 'isolation',
    requested: root === 'host' ? 'host' : root ? 'embedded' : 'own',
  } as const
  if (ownRoot) return enforced(what)
  if (root === 'host') return loosened(what)
  if (namespaces?.mount === false) return loosened(what, 'asked for, by namespaces.mount: false')
  const { reason, hint } = kernel.denied?.get('root') ?? missingNamespace('mount', kernel)
  if (!landlock.restricts) return skipped(what, reason, hint)
  const left = "it has the host's root, of which Landlock opens to it what one of its own would show"
  return weakened(what, `${reason}: ${left}`, hint)
}

function capabilitiesOf(
  kept: readonly string[],
  noNewPrivileges: boolean,
  { right, ownUserOnly, limitsCapabilities }: Access,
): { kept: readonly string[] | null; row: Row } {
  const requested = kept.length === 0 ? 'none' : `only ${kept.join(', ')}`
  const what = { name: 'capabilities', kind: 'isolation', requested } as const
  if (right === 'root') return { kept, row: enforced(what) }
  if (right === 'user-namespace' && kept.length > 0) {
    const over =
      ownUserOnly === null
        ? "files of the host's, and nothing else of it"
        : "what is its own, and nothing of the host's"
    const reason = `they hold in the task's user namespace only: over ${over}`
    return { kept, row: weakened(what, reason, 'run as root (sudo)') }
  }
  if (!limitsCapabilities && !noNewPrivileges) {
    const reason =
      'without CAP_SETPCAP nobody can give up what a set-user-ID program or one with file capabilities brings it'
    return { kept: null, row: weakened(what, reason, 'leave noNewPrivileges on') }
  }
  return { kept, row: enforced(what) }
}

function switchRow(name: string, on: string, wanted: boolean): Row {
  const what = { name, kind: 'isolation', requested: wanted ? on : 'off' } as const
  return wanted ? enforced(what) : loosened(what)
}

const seccompMissing = skipped(
  { name: 'seccomp', kind: 'isolation', requested: 'default' },
  'this kernel has no seccomp filters',
  'a kernel with CONFIG_SECCOMP_FILTER',
)

/** Which devices a task sees follows from whose root it has. */
function devicesRow({ devices = [] }: Readonly<Command>, root: Row): Row {
  const what = {
    name: 'devices',
    kind: 'isolation',
    requested: ['the usual six', ...devices].join(', '),
  } as const
  if (root.status === 'enforced') return enforced(what)
  if (root.chosen) return loosened({ ...what, requested: "the host's" })
  return { ...root, ...what }
}
