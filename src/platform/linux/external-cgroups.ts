import { closeSync, constants, existsSync, realpathSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { O_PATH } from '../../alloc/directory.ts'
import { openTrusted } from '../../alloc/open-trusted.ts'
import type { Resources } from '../../api.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import { HoldfastError } from '../../errors.ts'
import type { CgroupSpec } from '../../spawn/spec.ts'
import type { CgroupPlan } from './cgroups.ts'
import { cgroupTypes } from './own-cgroup.ts'

/**
 * The plan with an orchestrator's cgroups in the place of holdfast's own in the same hierarchies. They come
 * last: the first cgroup is the one whose members are the task, and a given one may have others. Throws
 * INVALID_ARGUMENT for what is no cgroup, and for two of one hierarchy.
 */
export function planExternal(
  plan: CgroupPlan,
  directories: readonly string[],
  { cpuset }: Pick<Resources, 'cpuset'>,
): CgroupPlan {
  if (directories.length === 0) return plan
  const byHierarchy = new Map<string, string>()
  for (const [index, path] of directories.entries()) {
    const hierarchy = isReal(path) ? hierarchyOf(path) : null
    if (hierarchy === null)
      throw invalidArgument(`command.cgroups[${index}]`, path, 'the directory of a cgroup')
    if (byHierarchy.has(hierarchy))
      throw invalidArgument(
        `command.cgroups[${index}]`,
        path,
        `one cgroup of each hierarchy; ${hierarchy} has two`,
      )
    byHierarchy.set(hierarchy, path)
  }
  const ownOf = new Map(plan.cgroups.map(own => [hierarchyOf(dirname(own.dir)), own]))
  const joined = [...byHierarchy].map(([hierarchy, dir]): CgroupSpec => {
    const files = ownOf.get(hierarchy)?.files ?? []
    return { dir, external: true, files: files.filter(({ name }) => isAskedFor(name, cpuset)) }
  })
  const moved = (path: string | null) => {
    if (path === null) return null
    const own = plan.cgroups.find(({ dir }) => path === dir || dirname(path) === dir)
    const place = own && byHierarchy.get(hierarchyOf(dirname(own.dir)))
    return own === undefined || place === undefined ? path : join(place, path.slice(own.dir.length))
  }
  return {
    ...plan,
    deferred: [],
    cgroups: [...plan.cgroups.filter(({ dir }) => !byHierarchy.has(hierarchyOf(dirname(dir)))), ...joined],
    oomFile: moved(plan.oomFile),
    freezer: moved(plan.freezer),
  }
}

/**
 * Its files are the kernel's, whatever they are called. Throws PERMISSION for a link on the way that a task
 * could have made.
 */
function isReal(path: string): boolean {
  try {
    const fd = openTrusted(path, O_PATH | constants.O_DIRECTORY)
    try {
      return isCgroup(path) && cgroupTypes.has(statfsSync(`/proc/self/fd/${fd}/`).type)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    return false
  }
}

/**
 * A cpuset of our own is completed with what its parent has, before anybody can join it; a given one is
 * complete.
 */
function isAskedFor(file: string, cpuset: string | undefined): boolean {
  return file === 'cpuset.mems' ? false : file !== 'cpuset.cpus' || cpuset !== undefined
}

/**
 * The root of the hierarchy: the highest directory that is still a cgroup. By its real path, since
 * controllers mounted together have aliases.
 */
function hierarchyOf(path: string): string {
  const parent = dirname(path)
  return isCgroup(parent) && parent !== path ? hierarchyOf(parent) : realpathSync(path)
}

function isCgroup(path: string): boolean {
  return existsSync(join(path, 'cgroup.procs'))
}
