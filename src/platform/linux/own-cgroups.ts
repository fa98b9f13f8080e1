import { basename } from 'node:path'
import type { MountOp } from '../../spawn/spec.ts'
import type { CgroupHost } from './cgroup-mode.ts'

const root = '/sys/fs/cgroup'

/**
 * The task's own cgroups where programs look for their limits, read-only: the one of cgroup2 as
 * /sys/fs/cgroup, those of version 1 below it by the names of the host's mounts, and by a link where a
 * controller has another name than its mount (cpu -> cpu,cpuacct), as distributions make it. `base` makes the
 * places. A task without cgroups finds nothing there, and so does one for a controller that it was given
 * later, by update().
 */
export function cgroupView(
  host: Pick<CgroupHost, 'v1' | 'v2'> | undefined,
  dirs: readonly string[],
): { base: MountOp[]; own: MountOp[] } {
  const mounts = [...new Set(host?.v1.values() ?? [])]
  const unified = host?.v2?.mount ?? null
  const place = (mount: string): string => (mounts.length === 0 ? root : `${root}/${basename(mount)}`)
  const all = [...mounts, ...(unified === null ? [] : [unified])]
  const own = dirs.flatMap((source): MountOp[] => {
    const mount = all.filter(at => source.startsWith(`${at}/`)).sort((a, b) => b.length - a.length)[0]
    if (mount === undefined) return []
    return [{ op: 'bind', source, base: null, at: place(mount), readOnly: true, devices: false }]
  })
  const places = [...new Set([root, ...all.map(place)])]
  const links = [...(host?.v1 ?? [])].filter(([controller]) => !places.includes(`${root}/${controller}`))
  return {
    base: [
      ...places.map((at): MountOp => ({ op: 'dir', at, mode: 0o755 })),
      ...links.map(([name, mount]): MountOp => ({
        op: 'symlink',
        to: basename(mount),
        at: `${root}/${name}`,
      })),
    ],
    own,
  }
}
