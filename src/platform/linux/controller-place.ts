import type { CgroupHost } from './cgroup-mode.ts'

/** Where a controller is, in words. `io` is called blkio on v1. */
export function placeOf({ v1, v2 }: CgroupHost, name: string): string {
  const v1Name = name === 'io' ? 'blkio' : name
  const mount = v1.get(v1Name)
  if (mount !== undefined) return `${v1Name} at ${mount}`
  return v2?.controllers.has(name) ? `in cgroup2 at ${v2.mount}` : ''
}
