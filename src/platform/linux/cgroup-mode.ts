import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { unescapeOctal } from '../../alloc/mounts.ts'
import { readText } from '../../if-there.ts'

/** v1: all controllers on v1 hierarchies. hybrid: the same beside a mounted cgroup2. */
type CgroupMode = 'v1' | 'hybrid' | 'v2' | 'none'

export type CgroupHost = {
  readonly mode: CgroupMode
  /** v1 controller -> mount point. Co-mounted controllers (`cpu,cpuacct`) share one. */
  readonly v1: ReadonlyMap<string, string>
  readonly v2: { readonly mount: string; readonly controllers: ReadonlySet<string> } | null
  /** Controllers that are mounted and yet of no use, and why. */
  readonly unusable: ReadonlyMap<string, string>
}

export type Mount = {
  readonly point: string
  readonly type: string
  readonly writable: boolean
  readonly superOptions: readonly string[]
}

/**
 * The v1 controllers that exist: a v1 mount's superblock options name its controllers among other words (rw,
 * name=systemd, xattr, clone_children). From Documentation/admin-guide/cgroup-v1.
 */
const v1Controllers = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'freezer',
  'blkio',
  'pids',
  'devices',
  'net_cls',
  'net_prio',
  'perf_event',
  'hugetlb',
  'rdma',
  'misc',
])

/**
 * Where the controllers are, from mountinfo (which says the same as statfs's magic numbers, and the
 * controllers besides).
 */
export function detectCgroups({ proc = '/proc' }: { proc?: string } = {}): CgroupHost {
  const mounts = inView(readMounts(proc))
  const unusable = new Map<string, string>()
  const v1 = new Map<string, string>()
  for (const mount of mounts.filter(({ type }) => type === 'cgroup')) {
    for (const controller of mount.superOptions.filter(option => v1Controllers.has(option))) {
      if (mount.writable) v1.set(controller, v1.get(controller) ?? mount.point)
      else unusable.set(controller, `its hierarchy is mounted read-only at ${mount.point}`)
    }
  }
  const unified = mounts.find(({ type }) => type === 'cgroup2')
  const found = unified ? readWords(join(unified.point, 'cgroup.controllers')) : []
  if (unified && !unified.writable)
    for (const controller of found)
      unusable.set(controller, `cgroup2 is mounted read-only at ${unified.point}`)
  const v2 = unified?.writable ? { mount: unified.point, controllers: new Set(found) } : null
  const anyV1 = mounts.some(({ type }) => type === 'cgroup')
  const mode = anyV1 ? (unified ? 'hybrid' : 'v1') : unified ? 'v2' : 'none'
  return { mode, v1, v2, unusable }
}

/**
 * Of several at one place the last covers the others. And what the table calls writable may be covered from
 * further up: the kernel is asked.
 */
function inView(mounts: readonly Mount[]): Mount[] {
  const top = new Map(mounts.map(mount => [mount.point, mount]))
  return mounts
    .filter(mount => top.get(mount.point) === mount)
    .map(mount =>
      isCgroup(mount) ? { ...mount, writable: mount.writable && !isReadOnly(mount.point) } : mount,
    )
}

function isCgroup({ type }: Mount): boolean {
  return type === 'cgroup' || type === 'cgroup2'
}

/** access(2) says so whatever rights this process has. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
  }
}

/** proc_pid_mountinfo(5): optional fields of any number end at a lone `-`. */
export function readMounts(proc: string): Mount[] {
  return readText(join(proc, 'self/mountinfo'))
    .split('\n')
    .flatMap(line => {
      const [before, after] = line.split(' - ')
      const [, , , , point, options] = before?.split(' ') ?? []
      const [type, , superOptions] = after?.split(' ') ?? []
      if (!point || !options || !type || !superOptions) return []
      const words = superOptions.split(',')
      const writable = options.split(',').includes('rw') && words.includes('rw')
      return [{ point: unescapeOctal(point), type, writable, superOptions: words }]
    })
}

export function readWords(path: string): string[] {
  return readText(path).split(/\s+/).filter(Boolean)
}
