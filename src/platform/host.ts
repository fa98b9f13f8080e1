import { release } from 'node:os'
import { nativeProgram } from '../spawn/native-program.ts'
import { type CgroupHost, detectCgroups } from './linux/cgroup-mode.ts'
import { controllerMend } from './linux/cgroups.ts'
import { kernelFeatures } from './linux/kernel-features.ts'

/** One thing this host can enforce, or cannot, and the command that would change it. */
export type HostRow = {
  readonly name: string
  readonly status: 'yes' | 'no' | 'weakened'
  readonly why: string
  readonly mend: string | null
}

export type HostReport = {
  readonly rows: readonly HostRow[]
  /** Which cgroup file systems are mounted. */
  readonly cgroups: CgroupHost['mode']
}

export type HostSources = {
  readonly proc?: string
  readonly env?: NodeJS.ProcessEnv
  /** Effective user id; undefined where there is none. */
  readonly uid?: number | undefined
}

/** What this host can enforce, for `doctor`. Looks anew each time; changes nothing. */
export async function fingerprint({
  proc = '/proc',
  env = process.env,
  uid = process.geteuid?.(),
}: HostSources = {}): Promise<HostReport> {
  const cgroups = detectCgroups({ proc })
  return {
    cgroups: cgroups.mode,
    rows: [
      row('node', true, process.versions.node, null),
      row(
        'kernel',
        process.platform === 'linux',
        `${process.platform} ${release()}`,
        'the linux executor needs Linux; the basic one works here',
      ),
      row(
        'root',
        uid === 0,
        uid === undefined ? 'this system has no user numbers' : `running as user ${uid}`,
        'run as root (sudo)',
      ),
      nativeRow(env),
      modeRow(cgroups),
      ...['cpu', 'cpuset', 'memory', 'pids', 'io'].map(name => controllerRow(cgroups, name)),
      ...featureRows(proc),
    ],
  }
}

function row(name: string, good: boolean, why: string, mend: string | null): HostRow {
  return { name, status: good ? 'yes' : 'no', why, mend: good ? null : mend }
}

function nativeRow(env: NodeJS.ProcessEnv): HostRow {
  const found = nativeProgram(env)
  return 'path' in found
    ? row('native', true, found.path, null)
    : row(
        'native',
        false,
        found.unavailable,
        'install a C compiler and run npm run build in the holdfast package',
      )
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

/** `io` is called blkio on v1. */
function controllerRow(cgroups: CgroupHost, name: string): HostRow {
  const v1Name = name === 'io' ? 'blkio' : name
  const mount = cgroups.v1.get(v1Name)
  if (mount !== undefined) return row(`cgroup.${name}`, true, `${v1Name} at ${mount}`, null)
  if (cgroups.v2?.controllers.has(name))
    return row(`cgroup.${name}`, true, `in cgroup2 at ${cgroups.v2.mount}`, null)
  const controller = cgroups.mode === 'v2' ? name : v1Name
  const why =
    cgroups.unusable.get(v1Name) ??
    cgroups.unusable.get(name) ??
    `no hierarchy has the ${controller} controller`
  return row(`cgroup.${name}`, false, why, controllerMend(cgroups, controller))
}

function featureRows(proc: string): HostRow[] {
  const kernel = kernelFeatures(proc)
  const namespaces = ['mount', 'pid', 'ipc', 'uts', 'cgroup', 'network'].map(name => {
    const has = kernel.namespaces.has(name)
    return row(
      `namespace.${name}`,
      has,
      has ? 'in this kernel' : 'not in this kernel',
      'a kernel with CONFIG_NAMESPACES and its options',
    )
  })
  const why = kernel.seccomp ? 'filters in this kernel' : 'not in this kernel'
  return [...namespaces, row('seccomp', kernel.seccomp, why, 'a kernel with CONFIG_SECCOMP_FILTER')]
}
