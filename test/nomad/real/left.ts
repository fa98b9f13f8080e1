import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Where Nomad's client, or its exec driver, has a cgroup for each task: of cgroup v1, and of v2. */
const places = [
  ...['blkio', 'cpuacct', 'devices', 'hugetlb', 'net_cls', 'perf_event', 'pids'].map(name => `${name}/nomad`),
  'cpu/nomad',
  'cpuset/nomad/reserve',
  'freezer/nomad',
  'memory/nomad',
  'nomad.slice/share.slice',
  'nomad.slice/reserve.slice',
]

/** The cgroups of an allocation's tasks. */
export function cgroupsOf(allocationId: string): string[] {
  return places
    .map(place => join('/sys/fs/cgroup', place))
    .filter(existsSync)
    .flatMap(place => readdirSync(place).map(name => join(place, name)))
    .filter(path => path.includes(allocationId))
}

/**
 * What a killed agent leaves on its host of the allocations below `directory`, whose processes have ended:
 * cgroups, networks, file systems of secrets.
 */
export function removeLeft(directory: string): void {
  for (const id of allocationsIn(directory)) {
    for (const path of cgroupsOf(id)) rmdirSync(path)
    const network = join('/run/netns', id)
    if (!existsSync(network)) continue
    execFileSync('umount', [network])
    rmSync(network)
  }
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point.startsWith(`${directory}/`))
  for (const point of points.reverse()) execFileSync('umount', [point])
}

function allocationsIn(directory: string): string[] {
  return readdirSync(directory)
    .map(agent => join(directory, agent, 'data/alloc'))
    .filter(existsSync)
    .flatMap(allocations => readdirSync(allocations))
}
