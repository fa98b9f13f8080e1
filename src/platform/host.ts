import { release } from 'node:os'
import type { Enforcement } from '../api.ts'
import { version } from '../package-root.ts'
import { nativeHint } from '../spawn/native-hint.ts'
import { type NativeProgram, findNativeProgram } from '../spawn/native-program.ts'
import { type NativeFeatures, nativeFeatures, probe } from '../spawn/probe.ts'
import { unitProperties } from '../spawn/unit.ts'
import { basicRows } from './basic/rows.ts'
import { bestPlatform } from './best-platform.ts'
import type { HostRow } from './host-row.ts'
import { type Access, type Own, ownIds, findAccess } from './linux/access.ts'
import { type CgroupHost, detectCgroups } from './linux/cgroup-mode.ts'
import { controllerRow } from './linux/controller-row.ts'
import { scopesAreMade, serviceManager } from './linux/delegated-scope.ts'
import { isolationOf } from './linux/isolation.ts'
import { missingNamespace } from './linux/kernel-features.ts'
import { capabilityHint } from './linux/namespace-denial.ts'
import { ownUnit, type Unit } from './linux/own-unit.ts'
import { taskUserRows } from './linux/task-user.ts'
import type { PlatformName } from './port.ts'
import { lacking, toIsolate } from '../powers.ts'
import { shortfalls } from './rows.ts'

export type { HostRow }

export type HostReport = {
  readonly mode: {
    readonly cgroup: CgroupHost['mode']
    /** The service manager that runs here, as the one of this user: null where there is none. */
    readonly systemd: 'system' | 'user' | null
    /** By what right tasks are isolated: as root, in an ordinary user's namespace (rootless), or not at all. */
    readonly isolation: Access['right']
  }
  readonly versions: {
    readonly holdfast: string
    readonly node: string
    readonly kernel: string
    /** Null: there is none, or it does not run. */
    readonly native: NativeFeatures | null
  }
  /** What becomes of a `run` without options. */
  readonly defaultRun: {
    readonly platform: PlatformName
    /** Why it is not started at all, and what would change that; null: it is. */
    readonly refused: { readonly why: string; readonly hint: string } | null
    /** What it gets less of than is its default. Empty: nothing is weakened. */
    readonly weakened: readonly Enforcement[]
  }
  readonly rows: readonly HostRow[]
}

export type HostSources = {
  /** Where the host's /run is, for tests. */
  readonly root?: string
  readonly proc?: string
  readonly env?: NodeJS.ProcessEnv
  /** Effective user id; undefined where there is none. */
  readonly uid?: number | undefined
}

/** What this host can enforce, for `doctor`. Looks anew each time; changes nothing. */
export async function fingerprint({
  root = '',
  proc = '/proc',
  env = process.env,
  uid = process.geteuid?.(),
}: HostSources = {}): Promise<HostReport> {
  const cgroups = detectCgroups({ proc })
  const native = findNativeProgram({ env })
  const program = 'path' in native ? native.path : null
  const features = program === null ? null : nativeFeatures(program)
  const refused = refusalOf(native, features, env)
  const self: Own = { ...ownIds(), ...(uid !== undefined && { uid }) }
  const tryOut = () => (program === null ? null : probe(program))
  const access = findAccess({ proc, self, tryOut, landlock: features?.landlock ?? 0 })
  const unit = await ownUnit({ proc, root, uid, show: unitProperties })
  const isLinux = bestPlatform() === 'linux'
  const rows = [
    ...machineRows(native, features, { uid, refused, missing: uid === 0 ? lacking(toIsolate, 0, proc) : [] }),
    modeRow(cgroups),
    ...withNative(refused, [
      ...['cpu', 'cpuset', 'memory', 'pids', 'io'].map(name =>
        controllerRow(cgroups, name, { proc, root, uid }),
      ),
      ...isolationRows(access),
    ]),
    ...unitRows(unit, scopesAreMade({ root, env, uid })),
  ]
  return {
    mode: {
      cgroup: cgroups.mode,
      systemd: serviceManager({ root, env, uid })?.bus ?? null,
      isolation: refused === null && isLinux ? access.right : 'none',
    },
    versions: { holdfast: version, node: process.versions.node, kernel: release(), native: features },
    defaultRun: {
      platform: bestPlatform(),
      refused: isLinux ? refused : null,
      weakened: isLinux ? (refused === null ? weakenedByDefault(access) : []) : shortfalls(basicByDefault()),
    },
    rows,
  }
}

/** What a start of an isolated task is refused with, and by the same words. */
function refusalOf(
  native: NativeProgram,
  features: NativeFeatures | null,
  env: NodeJS.ProcessEnv,
): HostReport['defaultRun']['refused'] {
  if ('unavailable' in native) return { why: native.unavailable, hint: nativeHint({ env }) }
  return features === null ? { why: `${native.path} does not run here`, hint: nativeHint({ env }) } : null
}

/** Nothing of this can be had without the native program, whatever the kernel has. */
function withNative(refused: HostReport['defaultRun']['refused'], rows: readonly HostRow[]): HostRow[] {
  return rows.map(known =>
    refused === null || known.status === 'no'
      ? known
      : { name: known.name, status: 'no', why: 'it takes the native program', hint: refused.hint },
  )
}

const nothingAsked = { path: '/bin/true', args: [], env: {} }

/** The rows of a task that asks for nothing. Limits are not among them: none is the default. */
function weakenedByDefault(access: Access): readonly Enforcement[] {
  return shortfalls([
    ...isolationOf(nothingAsked, 'task', access).rows,
    ...taskUserRows(nothingAsked, access),
  ])
}

function basicByDefault(): readonly Enforcement[] {
  return basicRows(nothingAsked, {}, { byName: false, uid: process.geteuid?.() ?? null })
}

function row(name: string, good: boolean, why: string, hint: string | null): HostRow {
  return { name, status: good ? 'yes' : 'no', why, hint: good ? null : hint }
}

function machineRows(
  native: NativeProgram,
  features: NativeFeatures | null,
  {
    uid,
    refused,
    missing,
  }: {
    readonly uid: number | undefined
    readonly refused: HostReport['defaultRun']['refused']
    /** What root was left without. */
    readonly missing: readonly string[]
  },
): HostRow[] {
  const user = uid === undefined ? 'this system has no user numbers' : `running as user ${uid}`
  return [
    row('holdfast', true, version, null),
    row('node', true, process.versions.node, null),
    row(
      'kernel',
      process.platform === 'linux',
      `${process.platform} ${release()}`,
      'the linux executor needs Linux; the basic one works here',
    ),
    missing.length === 0
      ? row('root', uid === 0, user, 'run as root (sudo)')
      : row('root', false, `${user}, without ${missing.join(', ')}`, capabilityHint(missing)),
    nativeRow(native, features, refused),
  ]
}

function nativeRow(
  native: NativeProgram,
  features: NativeFeatures | null,
  refused: HostReport['defaultRun']['refused'],
): HostRow {
  if (refused !== null || features === null || 'unavailable' in native)
    return row('native', false, refused?.why ?? '', refused?.hint ?? null)
  const { version: protocol, libc, static: isStatic, arch } = features
  const how = `version ${protocol}, ${arch}, ${isStatic ? 'static ' : ''}${libc}`
  return row('native', true, `${native.path} (${how})`, null)
}

function modeRow(cgroups: CgroupHost): HostRow {
  const where: Record<CgroupHost['mode'], string> = {
    v1: 'version 1 hierarchies',
    hybrid: 'version 1 hierarchies beside a cgroup2 one',
    v2: `cgroup2 at ${cgroups.v2?.mount ?? 'a read-only mount'}`,
    none: 'no cgroup file system is mounted',
  }
  return row('cgroup', cgroups.mode !== 'none', where[cgroups.mode], 'mount -t cgroup2 none /sys/fs/cgroup')
}

function isolationRows(access: Access): HostRow[] {
  const { kernel } = access
  const by = access.right === 'user-namespace' ? 'in a user namespace' : 'in this kernel'
  const names = [
    ...(access.right === 'root' ? [] : ['user']),
    'mount',
    'pid',
    'ipc',
    'uts',
    'cgroup',
    'network',
  ]
  const namespaces = names.map(name => {
    const has = name === 'user' ? access.right === 'user-namespace' : kernel.namespaces.has(name)
    const { reason, hint } = missingNamespace(name, kernel)
    return row(`namespace.${name}`, has, has ? by : reason, hint)
  })
  const root =
    kernel.denied?.get('root') ?? (kernel.namespaces.has('mount') ? null : missingNamespace('mount', kernel))
  const user = taskUserRows({ path: '', args: [], env: {} }, access).find(
    ({ status }) => status === 'weakened',
  )
  return [
    ...namespaces,
    row(
      'own root',
      root === null,
      root?.reason ?? 'system directories read-only, private /tmp, minimal /dev',
      root?.hint ?? null,
    ),
    row(
      'seccomp',
      kernel.seccomp,
      kernel.seccomp ? 'filters in this kernel' : 'not in this kernel',
      'a kernel with CONFIG_SECCOMP_FILTER',
    ),
    landlockRow(access),
    user === undefined
      ? row('user', true, 'tasks run as nobody, or as whom you say', null)
      : { name: 'user', status: 'weakened', why: user.reason ?? '', hint: user.hint },
  ]
}

function landlockRow(access: Access): HostRow {
  const found = isolationOf(nothingAsked, 'task', access).landlock.row
  const version = `version ${access.kernel.landlock ?? 0} in this kernel: files, signals and abstract sockets`
  if (found.status === 'enforced') return row('landlock', true, version, null)
  const status = found.status === 'weakened' ? 'weakened' : 'no'
  return { name: 'landlock', status, why: found.reason ?? '', hint: found.hint }
}

/** Only where there is something to say: outside a unit nobody stops tasks behind our back. */
function unitRows(unit: Unit | null, scopes: boolean): HostRow[] {
  if (unit === null) return []
  const { name, killMode } = unit
  const why = `this process belongs to ${name}, KillMode=${killMode}`
  if (killMode === 'process' || killMode === 'none') return [row('unit', true, why, null)]
  if (scopes) return [row('unit', true, `${why}; tasks are in a scope of their own, out of its reach`, null)]
  const hint = `systemctl edit ${name}, and in [Service]: KillMode=process and Delegate=yes`
  return [
    { name: 'unit', status: 'weakened', why: `${why}: a stop of it kills what it finds of tasks too`, hint },
  ]
}
