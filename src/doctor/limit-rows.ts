import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Resources } from '../api.ts'
import type { HostRow } from '../platform/host-row.ts'
import type { CgroupHost } from '../platform/linux/cgroup-mode.ts'
import { placeOf } from '../platform/linux/controller-place.ts'
import type { Refusal, RunReport } from './host-report.ts'
import { hostRow, nothingStarted } from './isolation-rows.ts'

export type LimitTrial = {
  readonly controller: string
  /**
   * What a task is limited to, to see whether it can be; null: there is nothing here that could be limited.
   */
  readonly limits: () => Resources | null
}

/** One limit by each controller. */
export const limitTrials: readonly LimitTrial[] = [
  { controller: 'cpu', limits: () => ({ cpuLimit: 1 }) },
  { controller: 'cpuset', limits: () => ({ cpuset: ownProcessors() }) },
  { controller: 'memory', limits: () => ({ memoryBytes: 256 * 2 ** 20 }) },
  { controller: 'pids', limits: () => ({ pids: 64 }) },
  { controller: 'io', limits: diskLimit },
]

type Host = {
  readonly cgroups: CgroupHost
  /** Why no task is started at all; null: it is. */
  readonly refused: Refusal | null
}

/** What became of a limit. Where it is enforced: by what. */
export function limitRow(controller: string, run: RunReport | null, { cgroups, refused }: Host): HostRow {
  const name = `cgroup.${controller}`
  if (refused !== null) return nothingStarted(name, refused)
  if (run === null)
    return { name, status: 'no', why: 'this host shows no disk that could be limited', hint: null }
  if (run.refused !== null) return { name, status: 'no', ...run.refused }
  const limit = run.enforcement.find(({ kind, name: field }) => kind === 'limit' && fields.has(field))
  if (limit === undefined) return { name, status: 'no', why: 'its start says nothing of it', hint: null }
  const row = hostRow(limit)
  return { ...row, name, why: row.status === 'yes' ? placeOf(cgroups, controller) : row.why }
}

const fields = new Set(['cpuLimit', 'cpuset', 'memoryBytes', 'pids', 'io'])

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
