import { basename, dirname } from 'node:path'
import type { Scope } from '../../spawn/scope.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import { parentName } from './cgroup-parents.ts'

/** The name of each cgroup of a v1 task that has only its own. Null for any other. */
export function ownKey(cgroups: readonly string[]): string | null {
  const [first] = cgroups
  if (first === undefined) return null
  const key = basename(first)
  return cgroups.every(dir => basename(dir) === key && basename(dirname(dir)) === parentName) ? key : null
}

/** Where a running task's cgroup is, whichever supervisor's spawner has put it there. */
export function scopeOf(cgroups: readonly string[], { v2 }: CgroupHost): Scope | null {
  const at = cgroups.map(dir => dirname(dirname(dir))).find(dir => /\/holdfast-[^/]*\.scope$/.test(dir))
  return v2 === null || at === undefined ? null : { unit: basename(at), path: at.slice(v2.mount.length) }
}
