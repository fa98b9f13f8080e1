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
  host: Hierarchies = none,
  dirs: readonly string[],
): { base: readonly MountOp[]; own: MountOp[] } {
  const { base, places } = placesIn(host)
  const own = dirs.flatMap((source): MountOp[] => {
    const place = places.find(({ mount }) => source.startsWith(`${mount}/`))
    if (place === undefined) return []
    return [{ op: 'bind', source, base: null, at: place.at, readOnly: true, devices: false }]
  })
  return { base, own }
}

type Hierarchies = Pick<CgroupHost, 'v1' | 'v2'>

/** `places`: innermost mount first. */
type Places = {
  readonly base: readonly MountOp[]
  readonly places: readonly { readonly mount: string; readonly at: string }[]
}

const none: Hierarchies = { v1: new Map(), v2: null }

/** Of a host that was looked at once, the same for all tasks. */
const known = new WeakMap<Hierarchies, Places>()

function placesIn(host: Hierarchies): Places {
  const found = known.get(host) ?? findPlaces(host)
  known.set(host, found)
  return found
}

function findPlaces({ v1, v2 }: Hierarchies): Places {
  const mounts = [...new Set(v1.values())]
  const place = (mount: string): string => (mounts.length === 0 ? root : `${root}/${basename(mount)}`)
  const all = [...mounts, ...(v2 === null ? [] : [v2.mount])]
  const places = [...new Set([root, ...all.map(place)])]
  const links = [...v1].filter(([controller]) => !places.includes(`${root}/${controller}`))
  return {
    places: all.map(mount => ({ mount, at: place(mount) })).sort((a, b) => b.mount.length - a.mount.length),
    base: [
      ...places.map((at): MountOp => ({ op: 'dir', at, mode: 0o755 })),
      ...links.map(([name, mount]): MountOp => ({
        op: 'symlink',
        to: basename(mount),
        at: `${root}/${name}`,
      })),
    ],
  }
}
