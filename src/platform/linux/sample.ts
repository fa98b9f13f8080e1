import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { StartRecord } from '../../../machines/index.ts'
import type { Pressure, Usage } from '../../api.ts'
import type { CgroupHost } from './cgroup-mode.ts'

/**
 * One sample from the task's cgroups, read synchronously: three files take 12 us, and 571 us with fs.promises.
 * A file that is not there (any more) leaves null.
 */
export function sampleCgroups({ cgroups }: Pick<StartRecord, 'cgroups'>, host: CgroupHost): Usage {
  const v1 = (controller: string) => under(cgroups, host.v1.get(controller))
  const unified = under(cgroups, host.v2?.mount)
  const [cpu, cpuacct, memory, pids, blkio] = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio'].map(v1)
  const nothing = {
    at: new Date(),
    cpuMs: null,
    cpuPercent: null,
    memoryBytes: null,
    memoryPeakBytes: null,
    memoryLimitBytes: null,
  }
  const empty: Usage = {
    ...nothing,
    pids: null,
    ioReadBytes: null,
    ioWriteBytes: null,
    throttledMs: null,
    pressure: null,
  }
  return merge(empty, [
    unified ? sampleV2(unified) : {},
    {
      cpuMs: scale(numberIn(cpuacct, 'cpuacct.usage'), 1e-6),
      memoryBytes: numberIn(memory, 'memory.usage_in_bytes'),
      memoryPeakBytes: numberIn(memory, 'memory.max_usage_in_bytes'),
      memoryLimitBytes: limitIn(memory, 'memory.limit_in_bytes'),
      // Any v1 hierarchy lists the threads, which is what the pids controller counts.
      pids: numberIn(pids, 'pids.current') ?? threadsIn(unified ? undefined : (memory ?? cpuacct ?? pids)),
      ...blkioBytes(blkio),
      throttledMs: scale(fieldOf(read(cpu, 'cpu.stat'), 'throttled_time'), 1e-6),
    },
  ])
}

function sampleV2(dir: string): Partial<Usage> {
  const cpu = read(dir, 'cpu.stat')
  return {
    cpuMs: scale(fieldOf(cpu, 'usage_usec'), 1e-3),
    memoryBytes: numberIn(dir, 'memory.current'),
    memoryPeakBytes: numberIn(dir, 'memory.peak'),
    memoryLimitBytes: limitIn(dir, 'memory.max'),
    pids: numberIn(dir, 'pids.current'),
    ...ioStatBytes(dir),
    throttledMs: scale(fieldOf(cpu, 'throttled_usec'), 1e-3),
    pressure: pressureIn(dir),
  }
}

/** Later parts win where they know something. */
function merge(empty: Usage, parts: readonly Partial<Usage>[]): Usage {
  const known = parts.map(part =>
    Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null)),
  )
  return Object.assign({}, empty, ...known) as Usage
}

function under(cgroups: readonly string[], mount: string | undefined): string | undefined {
  return mount === undefined ? undefined : cgroups.find(dir => dir.startsWith(`${mount}/`))
}

/** v1 says "no limit" with the largest page-aligned number there is (PAGE_COUNTER_MAX), v2 with `max`. */
function limitIn(dir: string | undefined, file: string): number | null {
  const value = numberIn(dir, file)
  return value !== null && value < 2 ** 62 ? value : null
}

function numberIn(dir: string | undefined, file: string): number | null {
  const text = read(dir, file)?.trim()
  return text && /^\d+$/.test(text) ? Number(text) : null
}

function fieldOf(text: string | null, field: string): number | null {
  const line = text?.split('\n').find(entry => entry.startsWith(`${field} `))
  return line ? Number(line.slice(field.length + 1)) : null
}

function threadsIn(dir: string | undefined): number | null {
  return read(dir, 'tasks')?.split('\n').filter(Boolean).length ?? null
}

/** `8:0 Read 4096` per device and operation. */
function blkioBytes(dir: string | undefined): Partial<Usage> {
  const text =
    read(dir, 'blkio.throttle.io_service_bytes_recursive') ?? read(dir, 'blkio.throttle.io_service_bytes')
  if (text === null) return {}
  return {
    ioReadBytes: sum(text, /^\d+:\d+ Read (\d+)$/gm),
    ioWriteBytes: sum(text, /^\d+:\d+ Write (\d+)$/gm),
  }
}

/** `8:0 rbytes=4096 wbytes=0 ...` per device. */
function ioStatBytes(dir: string): Partial<Usage> {
  const text = read(dir, 'io.stat')
  if (text === null) return {}
  return { ioReadBytes: sum(text, /\brbytes=(\d+)/g), ioWriteBytes: sum(text, /\bwbytes=(\d+)/g) }
}

function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0)
}

function scale(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor
}

/** Only version 2 has the files, and only with CONFIG_PSI. */
function pressureIn(dir: string): Usage['pressure'] {
  const [cpu, memory, io] = ['cpu', 'memory', 'io'].map(what => pressureOf(read(dir, `${what}.pressure`)))
  return cpu || memory || io ? { cpu: cpu ?? null, memory: memory ?? null, io: io ?? null } : null
}

/** `some avg10=0.12 avg60=0.05 avg300=0.01 total=12345`, then the same for `full`. Times are in microseconds. */
function pressureOf(text: string | null): Pressure | null {
  if (text === null) return null
  const [some, full] = ['some', 'full'].map(line => {
    const [, percent, total] = new RegExp(`^${line} avg10=([\\d.]+) .*total=(\\d+)$`, 'm').exec(text) ?? []
    return {
      percent: percent === undefined ? null : Number(percent),
      ms: total === undefined ? null : Number(total) / 1000,
    }
  })
  return {
    somePercent: some?.percent ?? null,
    fullPercent: full?.percent ?? null,
    someMs: some?.ms ?? null,
    fullMs: full?.ms ?? null,
  }
}

/** Larger than any of these files is; a longer one (io.stat of very many devices) is read the long way. */
const buffer = Buffer.allocUnsafe(16 * 1024)

/** Into one buffer, without asking for a size that is 0 anyway: a third cheaper than readFileSync, and this is most of a sweep. */
function read(dir: string | undefined, file: string): string | null {
  if (dir === undefined) return null
  const path = `${dir}/${file}`
  try {
    const fd = openSync(path, 'r')
    try {
      // The kernel hands long ones out in pages.
      for (let used = 0; used < buffer.length;) {
        const count = readSync(fd, buffer, used, buffer.length - used, null)
        if (count === 0) return buffer.toString('latin1', 0, used)
        used += count
      }
    } finally {
      closeSync(fd)
    }
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
