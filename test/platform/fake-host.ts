import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TaskPaths } from '../../src/platform/port.ts'

/** A directory that stands for a host: `proc`, `sys` and the cgroup file systems lie in it as plain files. */
export class FakeHost {
  readonly root = mkdtempSync(join(tmpdir(), 'holdfast-host-'))
  readonly proc = join(this.root, 'proc')
  readonly sys = join(this.root, 'sys')
  readonly #mounts: string[] = []

  constructor() {
    this.file('proc/self/mountinfo', '')
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  path(name: string): string {
    return join(this.root, name)
  }

  file(name: string, content = ''): string {
    const path = this.path(name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  directory(name: string): string {
    mkdirSync(this.path(name), { recursive: true })
    return this.path(name)
  }

  mount(name: string, type: string, superOptions: string, options = 'rw,nosuid'): string {
    const point = this.directory(name)
    const number = 30 + this.#mounts.length
    const written = point.replaceAll(' ', '\\040')
    this.#mounts.push(
      `${number} 25 0:${number} / ${written} ${options} shared:9 - ${type} ${type} ${superOptions}`,
    )
    this.file('proc/self/mountinfo', `${this.#mounts.join('\n')}\n`)
    return point
  }

  /** A v1 hierarchy whose `holdfast` group has these files. */
  hierarchy(controllers: string, files: readonly string[] = []): string {
    const point = this.mount(`cgroup/${controllers}`, 'cgroup', `rw,${controllers}`)
    for (const name of files) this.file(`cgroup/${controllers}/holdfast/${name}`)
    return point
  }

  /** cgroup2 with these controllers, already delegated as a kernel would show it. */
  unified(controllers: string, files: readonly string[] = []): string {
    const point = this.mount('unified', 'cgroup2', 'rw,nsdelegate')
    for (const place of ['unified', 'unified/holdfast']) {
      this.file(`${place}/cgroup.controllers`, `${controllers}\n`)
      this.file(`${place}/cgroup.subtree_control`, `${controllers}\n`)
    }
    for (const name of files) this.file(`unified/holdfast/${name}`)
    return point
  }

  allocation(task = 'web'): TaskPaths {
    const root = this.directory('allocation')
    this.directory('allocation/alloc/logs')
    this.directory(`allocation/${task}/local`)
    return { root, shared: join(root, 'alloc'), task: join(root, task), local: join(root, task, 'local') }
  }
}

export const v1Files = {
  cpu: ['cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us'],
  memory: [
    'memory.limit_in_bytes',
    'memory.memsw.limit_in_bytes',
    'memory.kmem.tcp.limit_in_bytes',
    'memory.soft_limit_in_bytes',
  ],
  pids: ['pids.max'],
  blkio: [
    'blkio.throttle.read_bps_device',
    'blkio.throttle.write_bps_device',
    'blkio.throttle.read_iops_device',
    'blkio.throttle.write_iops_device',
  ],
}

export const v2Files = [
  ...[
    'cpu.weight',
    'cpu.max',
    'cpuset.cpus',
    'memory.max',
    'memory.swap.max',
    'memory.low',
    'memory.oom.group',
  ],
  ...['pids.max', 'io.weight', 'io.max'],
]

/** Every limit the cgroups know. */
export const everyLimit = {
  cpu: 512,
  cpuLimit: 0.5,
  cpuset: '0',
  memoryMB: 64,
  swapBytes: 4096,
  memoryReserveBytes: 8192,
  pids: 10,
  iops: 100,
  io: [{ device: '8:0', readBps: 1, writeBps: 2, readIops: 3, writeIops: 4 }],
}
