import { release } from 'node:os'
import { version } from '../package-root.ts'
import { nativeHint } from '../spawn/native-hint.ts'
import { type NativeProgram, findNativeProgram } from '../spawn/native-program.ts'
import { type NativeFeatures, nativeFeatures } from '../spawn/probe.ts'
import { hidesProcesses } from '../spawn/process-table.ts'
import { unitProperties } from '../spawn/unit.ts'
import type { HostRow } from './host-row.ts'
import { ownAccess } from './linux/access.ts'
import { type CgroupHost, detectCgroups } from './linux/cgroup-mode.ts'
import { type ScopeSources, serviceManager } from './linux/delegated-scope.ts'
import { capabilityHint } from './linux/namespace-denial.ts'
import { ownUnit, type Unit } from './linux/own-unit.ts'
import { type IdMaps, idMaps } from '../id-maps.ts'
import { lacking, toIsolate } from '../powers.ts'
import { isHostsOwn } from './unmapped.ts'
import type { Access } from './linux/access.ts'

/** What this host is, and who looks at it. What tasks get of it only a task can tell. */
export type HostFacts = {
  readonly mode: {
    readonly cgroup: CgroupHost['mode']
    /** The service manager that runs here, as the one of this user: null where there is none. */
    readonly systemd: 'system' | 'user' | null
    /**
     * By what right tasks are isolated: as root, in an ordinary user's namespace (rootless), or not at all.
     */
    readonly isolation: Access['right']
  }
  readonly versions: {
    readonly holdfast: string
    readonly node: string
    readonly kernel: string
    /** Null: there is none, or it does not run. */
    readonly native: NativeFeatures | null
  }
  readonly rows: readonly HostRow[]
  readonly cgroups: CgroupHost
  /** The service of systemd's that this process belongs to. */
  readonly unit: Unit | null
}

/** Looks anew each time; changes nothing. The sources are for tests. */
export async function hostFacts({
  root = '',
  proc = '/proc',
  env = process.env,
  uid = process.geteuid?.(),
}: ScopeSources = {}): Promise<HostFacts> {
  const cgroups = detectCgroups({ proc })
  const native = findNativeProgram({ env })
  const features = 'path' in native ? nativeFeatures(native.path) : null
  return {
    mode: {
      cgroup: cgroups.mode,
      systemd: serviceManager({ root, env, uid })?.bus ?? null,
      isolation: features !== null && process.platform === 'linux' ? ownAccess().right : 'none',
    },
    versions: { holdfast: version, node: process.versions.node, kernel: release(), native: features },
    rows: [
      row('holdfast', true, version, null),
      row('node', true, process.versions.node, null),
      row(
        'kernel',
        process.platform === 'linux',
        `${process.platform} ${release()}`,
        'the linux executor needs Linux; the basic one works here',
      ),
      callerRow(uid, uid === 0 ? lacking(toIsolate, 0, proc) : [], idMaps(proc)),
      nativeRow(native, features, env),
      modeRow(cgroups),
      ...(hidesProcesses(proc) ? [hiddenRow] : []),
    ],
    cgroups,
    unit: await ownUnit({ proc, root, uid, show: unitProperties }),
  }
}

/** `missing`: what root was left without. */
function callerRow(uid: number | undefined, missing: readonly string[], maps: IdMaps): HostRow {
  const user = uid === undefined ? 'this system has no user numbers' : `running as user ${uid}`
  if (uid === 0 && missing.length === 0 && !isHostsOwn(maps))
    return row('caller', false, `${user} of a user namespace (user_namespaces(7))`, "run as the host's root")
  return missing.length === 0
    ? row('caller', uid === 0, user, 'run as root (sudo)')
    : row('caller', false, `${user}, without ${missing.join(', ')}`, capabilityHint(missing))
}

function nativeRow(native: NativeProgram, features: NativeFeatures | null, env: NodeJS.ProcessEnv): HostRow {
  if ('unavailable' in native) return row('native', false, native.unavailable, nativeHint({ env }))
  if (features === null) return row('native', false, `${native.path} does not run here`, nativeHint({ env }))
  const { version: protocol, libc, static: isStatic, arch } = features
  const how = `version ${protocol}, ${arch}, ${isStatic ? 'static ' : ''}${libc}`
  return row('native', true, `${native.path} (${how})`, null)
}

const hiddenRow: HostRow = {
  name: 'proc',
  status: 'weakened',
  why: '/proc hides processes (hidepid): what is in force is not read back, strict starts nothing, exec() enters nothing, and what a killed shim has left is not killed',
  hint: 'mount -o remount,hidepid=0 /proc',
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

function row(name: string, good: boolean, why: string, hint: string | null): HostRow {
  return { name, status: good ? 'yes' : 'no', why, hint: good ? null : hint }
}
