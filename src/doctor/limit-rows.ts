import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Resources } from '../api.ts'
import type { HostRow } from '../platform/host-row.ts'
import type { CgroupHost } from '../platform/linux/cgroup-mode.ts'
import type { DiskFinding } from '../platform/linux/disk-way.ts'
import { placeOf } from '../platform/linux/controller-place.ts'
import type { Refusal, RunReport } from './host-report.ts'
import { hostRow, nothingStarted } from './isolation-rows.ts'

export type LimitTrial = {
  /** Null: of what a task stores, which no controller limits. */
  readonly controller: string | null
  /**
   * What a task is limited to, to see whether it can be; null: there is nothing here that could be limited.
   */
  readonly limits: () => Resources | null
}

/** One limit by each controller, and one of the disk. */
export const limitTrials: readonly LimitTrial[] = [
  { controller: 'cpu', limits: () => ({ cpuLimit: 1 }) },
  { controller: 'cpuset', limits: () => ({ cpuset: ownProcessors() }) },
  { controller: 'memory', limits: () => ({ memoryBytes: 256 * 2 ** 20 }) },
  { controller: 'pids', limits: () => ({ pids: 64 }) },
  { controller: 'io', limits: diskLimit },
  { controller: null, limits: () => ({ diskBytes: 2 ** 20 }) },
]

type Host = {
  readonly cgroups: CgroupHost
  /** By what, or why not, what a task stores in the state directory is bound. */
  readonly disk: DiskFinding
  /** Why no task is started at all; null: it is. */
  readonly refused: Refusal | null
}

/** What became of a limit. Where it is enforced: by what. */
export function limitRow(
  controller: string | null,
  run: RunReport | null,
  { cgroups, disk, refused }: Host,
): HostRow {
  const name = controller === null ? 'disk' : `cgroup.${controller}`
  if (refused !== null) return nothingStarted(name, refused)
  if (run === null)
    return { name, status: 'no', why: 'this host shows no disk that could be limited', hint: null }
  if (run.refused !== null) return { name, status: 'no', ...run.refused }
  const limit = run.enforcement.find(({ kind, name: field }) => kind === 'limit' && fields.has(field))
  if (limit === undefined) return { name, status: 'no', why: 'its start says nothing of it', hint: null }
  const row = hostRow(limit)
  if (row.status !== 'yes') return { ...row, name }
  return controller === null ? diskRow(name, disk) : { ...row, name, why: placeOf(cgroups, controller) }
}

/** A task could be bound in a directory for temporary files; where tasks are recorded may be another. */
function diskRow(name: string, disk: DiskFinding): HostRow {
  if ('reason' in disk) return { name, status: 'no', why: disk.reason, hint: disk.hint }
  const { way, why } = disk
  const words = { project: 'a project quota', image: 'a file system' }[way]
  return {
    name,
    status: 'yes',
    why: `${words} for each task that asks${why === null ? '' : `: ${why}`}`,
    hint: null,
  }
}

const fields = new Set(['cpuLimit', 'cpuset', 'memoryBytes', 'pids', 'io', 'diskBytes'])

function diskLimit(): Resources | null {
  const disk = firstDisk()
  return disk === null ? null : { io: [{ device: disk, readBps: 2 ** 40 }] }
}

/** `major:minor` of a whole disk, which alone can be limited. */
function firstDisk(): string | null {
  const block = '/sys/block'
  if (!existsSync(block)) return null
  for (const name of readdirSync(block)) {
    const number = `${block}/${name}/dev`
    if (existsSync(number)) return readFileSync(number, 'utf8').trim()
  }
  return null
}

/** Those that this process may use, as the kernel lists them. */
function ownProcessors(): string {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0'
}
