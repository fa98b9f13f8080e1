import type { UsageDetail } from '../../api.ts'
import { CgroupFile } from './cgroup-file.ts'
import { fieldOf, scaled } from './usage-text.ts'
import type { V1Directories } from './usage-v1.ts'

type Values = Omit<UsageDetail, 'at'>

/** A hybrid host has each controller in one of the two. Opened for each call: few ask, and seldom. */
export function readUsageDetail(v1: V1Directories, unified: string | undefined): UsageDetail {
  const [old, now] = [readV1(v1), readV2(unified)]
  const names = Object.keys(old) as (keyof Values)[]
  const values = Object.fromEntries(names.map(name => [name, old[name] ?? now[name]])) as Values
  return { at: new Date(), ...values }
}

function readV2(dir: string | undefined): Values {
  const cpu = textOf(dir, 'cpu.stat')
  const memory = textOf(dir, 'memory.stat')
  return {
    cpuUserMs: scaled(fieldOf(cpu, 'user_usec'), 1e-3),
    cpuSystemMs: scaled(fieldOf(cpu, 'system_usec'), 1e-3),
    throttledPeriods: fieldOf(cpu, 'nr_throttled'),
    anonBytes: fieldOf(memory, 'anon'),
    fileBytes: fieldOf(memory, 'file'),
    kernelBytes: fieldOf(memory, 'kernel'),
    swapBytes: numberIn(dir, 'memory.swap.current'),
  }
}

/** The `total_` fields have the cgroups of exec sessions below in them. */
function readV1({ cpu, cpuacct, memory }: V1Directories): Values {
  const stat = textOf(memory, 'memory.stat')
  return {
    cpuUserMs: scaled(numberIn(cpuacct, 'cpuacct.usage_user'), 1e-6),
    cpuSystemMs: scaled(numberIn(cpuacct, 'cpuacct.usage_sys'), 1e-6),
    throttledPeriods: fieldOf(textOf(cpu, 'cpu.stat'), 'nr_throttled'),
    anonBytes: fieldOf(stat, 'total_rss'),
    fileBytes: fieldOf(stat, 'total_cache'),
    kernelBytes: numberIn(memory, 'memory.kmem.usage_in_bytes'),
    swapBytes: fieldOf(stat, 'total_swap'),
  }
}

function textOf(dir: string | undefined, name: string): string | null {
  return dir === undefined ? null : new CgroupFile(`${dir}/${name}`).text()
}

function numberIn(dir: string | undefined, name: string): number | null {
  return dir === undefined ? null : new CgroupFile(`${dir}/${name}`).number()
}
