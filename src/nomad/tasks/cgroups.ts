import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskConfig } from '../wire/task-messages.ts'

/**
 * The cgroups that Nomad's client has made for the task, and will empty and remove by itself when the task
 * has gone. It names one: on cgroup v2 the task's, on v1 the one for processors, beside which the others lie.
 * An agent without cgroups names one that does not exist.
 */
export function externalCgroups({ resources, alloc_id, name }: TaskConfig): string[] {
  const named = resources?.linux_resources?.cpuset_cgroup ?? ''
  if (named === '' || !isCgroup(named)) return []
  const [, root, parent] = /^(.+)\/cpuset\/(.+)\/(?:share|reserve\/[^/]+)$/.exec(named) ?? []
  if (root === undefined || parent === undefined) return [named]
  const others = ['freezer', 'cpu', 'memory'].map(controller =>
    join(root, controller, parent, `${alloc_id}.${name}`),
  )
  return [...others.filter(isCgroup), named]
}

function isCgroup(path: string): boolean {
  return existsSync(join(path, 'cgroup.procs'))
}
