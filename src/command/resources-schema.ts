import * as z from 'zod/mini'
import type { IoLimit } from '../api.ts'
import { lazily } from '../lazily.ts'
import { bytesPerMiB as MiB, memoryLimit } from './memory-limit.ts'
import { fields, integer, listOf, matching, oneOf } from './fields.ts'
import { rlimitLines } from './rlimits.ts'

const largest = Number.MAX_SAFE_INTEGER

// Below, exec itself (its stack, the first pages, the page tables) is charged more than the limit: the task
// would be OOM-killed before its first instruction.
const smallestMemory = MiB
// 100 years: in nanoseconds it still fits the 64 bits the deadline is kept in.
const longestWallTime = 100 * 366 * 24 * 3600 * 1000
// The kernel's quota is at least 1 ms, and the period 100 ms.
const smallestCpuLimit = 0.01
const largestCpuLimit = 1024
// CONFIG_NR_CPUS of the largest kernels.
const maxCpus = 8192

const takesRlimit = 'an integer >= 0, -1 or Infinity for none, or [soft, hard] with soft <= hard'
const rlimit = () => z.custom<number | [number, number]>(isRlimit, { error: takesRlimit })
const rlimits = () => Object.fromEntries(Object.keys(rlimitLines).map(name => [name, z.optional(rlimit())]))

const takesCpuset = `a list of processors below ${maxCpus} such as "0-1,3", ranges ascending`
const takesCpuLimit = `a number of cores >= ${smallestCpuLimit} and <= ${largestCpuLimit} (0.5 is half a core)`
const cores = { error: takesCpuLimit }

const throttle = (unit: string) => z.optional(integer(1, largest, unit))

const ioLimit = () =>
  fields({
    device: matching('a block device: a path in /dev or "major:minor"', isDevice),
    readBps: throttle('bytes a second'),
    writeBps: throttle('bytes a second'),
    readIops: throttle('operations a second'),
    writeIops: throttle('operations a second'),
  }).check(
    z.refine(limit => Object.keys(limit).length > 1, {
      error: 'at least one of readBps, writeBps, readIops, writeIops',
    }),
  )

export const resourcesSchema = lazily(() =>
  fields({
    cpu: z.optional(integer(2, 262_144, 'shares')),
    cpuLimit: z.optional(
      z.number(cores).check(z.minimum(smallestCpuLimit, cores), z.maximum(largestCpuLimit, cores)),
    ),
    cpuset: z.optional(matching(takesCpuset, isCpuList)),
    memoryMB: z.optional(integer(smallestMemory / MiB, Math.floor(largest / MiB), 'MiB')),
    memoryBytes: z.optional(integer(smallestMemory, largest, 'bytes')),
    swapBytes: z.optional(integer(0, largest, 'bytes')),
    memoryReserveBytes: z.optional(integer(0, largest, 'bytes')),
    pids: z.optional(integer(1, 4_194_304, 'processes and threads')),
    iops: z.optional(integer(10, 1000, 'io weight')),
    io: z.optional(
      listOf(
        ioLimit() as z.ZodMiniType<IoLimit>,
        'an array of { device, readBps, writeBps, readIops, writeIops }',
      ),
    ),
    rlimits: z.optional(fields(rlimits())),
    wallTimeMs: z.optional(integer(1, longestWallTime, 'milliseconds')),
    oom: z.optional(oneOf('task', 'process')),
    diskBytes: z.optional(integer(MiB, largest, 'bytes')),
    outputBytes: z.optional(integer(1, largest, 'bytes')),
  }).check(
    z.refine(({ memoryMB, memoryBytes }) => memoryMB === undefined || memoryBytes === undefined, {
      path: ['memoryBytes'],
      error: 'either memoryMB or memoryBytes, not both',
    }),
    z.refine(reserveFits, {
      path: ['memoryReserveBytes'],
      error: 'at most the memory limit (memoryBytes or memoryMB)',
    }),
  ),
)

type Memory = { [Field in 'memoryMB' | 'memoryBytes' | 'memoryReserveBytes']?: number | undefined }

function reserveFits({ memoryReserveBytes = 0, ...limit }: Memory): boolean {
  return memoryReserveBytes <= (memoryLimit(limit) ?? largest)
}

function isRlimit(value: unknown): boolean {
  if (!Array.isArray(value)) return isRlimitValue(value)
  if (value.length !== 2 || !value.every(isRlimitValue)) return false
  const [soft, hard] = value.map(limit => (limit === -1 ? Number.POSITIVE_INFINITY : Number(limit)))
  return Number(soft) <= Number(hard)
}

function isRlimitValue(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && Number(value) >= -1)
}

function isDevice(device: string): boolean {
  if (/^\/dev\/[^\0]+$/.test(device)) return !device.split('/').includes('..') && !device.endsWith('/')
  const [major = 1 / 0, minor = 1 / 0] = /^\d{1,7}:\d{1,7}$/.test(device) ? device.split(':').map(Number) : []
  return major < 4096 && minor < 1_048_576
}

function isCpuList(list: string): boolean {
  return list.split(',').every(part => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part)
    if (match === null) return false
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    return first <= last && last < maxCpus
  })
}
