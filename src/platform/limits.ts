import type { Resources, Rlimit } from '../api.ts'
import { memoryLimit } from '../command/memory-limit.ts'
import type { LaunchSpec } from '../spawn/spec.ts'

/** Resources in one unit per thing, so that tables need no branches. Null: not asked for. */
export type Limits = {
  readonly cpu: number | null
  readonly cpuLimit: number | null
  readonly cpuset: string | null
  readonly memory: number | null
  /** Swap on top of memory; 0 when memory is limited and nothing else was said. */
  readonly swap: number | null
  readonly memoryReserve: number | null
  readonly pids: number | null
  readonly iops: number | null
  readonly io: readonly DeviceLimit[]
  readonly oom: 'task' | 'process' | null
}

/** `device` is `major:minor`. */
export type DeviceLimit = {
  readonly device: string
  readonly readBps: number | null
  readonly writeBps: number | null
  readonly readIops: number | null
  readonly writeIops: number | null
}

/** `deviceNumber` turns a path or `major:minor` into `major:minor`. */
export function normalizeLimits(resources: Resources, deviceNumber: (device: string) => string): Limits {
  const memory = memoryLimit(resources)
  return {
    cpu: resources.cpu ?? null,
    cpuLimit: resources.cpuLimit ?? null,
    cpuset: resources.cpuset ?? null,
    memory,
    swap: resources.swapBytes ?? (memory === null ? null : 0),
    memoryReserve: resources.memoryReserveBytes ?? null,
    pids: resources.pids ?? null,
    iops: resources.iops ?? null,
    oom: resources.oom ?? null,
    io: (resources.io ?? []).map(({ device, readBps, writeBps, readIops, writeIops }) => ({
      device: deviceNumber(device),
      readBps: readBps ?? null,
      writeBps: writeBps ?? null,
      readIops: readIops ?? null,
      writeIops: writeIops ?? null,
    })),
  }
}

/** setrlimit pairs; -1 is infinity, as the native program reads it. */
export function rlimitPairs(rlimits: Resources['rlimits'] = {}): LaunchSpec['rlimits'] {
  return Object.entries(rlimits).map(([name, value]) => {
    const [soft, hard] = pair(value)
    return { name, soft: finite(soft), hard: finite(hard) }
  })
}

function pair(value: Rlimit): [number, number] {
  return typeof value === 'number' ? [value, value] : value
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : -1
}

/** What was asked for, per field, as text for the enforcement rows. Fields not asked for are absent. */
export function requestedLimits(resources: Resources): { name: string; kind: 'limit'; requested: string }[] {
  const { rlimits = {}, io, ...plain } = resources
  const fields = Object.entries(plain)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)])
  const devices = (io?.length ?? 0) > 0 ? [['io', JSON.stringify(io)]] : []
  const process = Object.entries(rlimits).map(([name, value]) => [`rlimits.${name}`, pair(value).join(':')])
  return [...fields, ...devices, ...process].map(([name = '', requested = '']) => ({
    name,
    kind: 'limit',
    requested,
  }))
}
