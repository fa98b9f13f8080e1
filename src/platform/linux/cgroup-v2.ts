import type { DeviceLimit } from '../limits.ts'
import { cpuBandwidth, type Knob, knob, one, swapNotAccounted } from './knob.ts'

/** Documentation/admin-guide/cgroup-v2.rst. */
export const v2Knobs: readonly Knob[] = [
  knob('cpu', 'cpu', 'cpu.weight', ({ cpu }) => (cpu === null ? [] : one(sharesToWeight(cpu)))),
  knob('cpuLimit', 'cpu', 'cpu.max', ({ cpuLimit }) => {
    if (cpuLimit === null) return []
    const { periodUs, quotaUs } = cpuBandwidth(cpuLimit)
    return [`${quotaUs} ${periodUs}`]
  }),
  knob('cpuset', 'cpuset', 'cpuset.cpus', ({ cpuset }) => one(cpuset)),
  // A task with one process killed for memory cannot be relied on: the kernel kills the whole group, also for
  // an ancestor's limit.
  knob('oom', 'memory', 'memory.oom.group', ({ oom }) => [oom === 'process' ? '0' : '1']),
  knob('memory', 'memory', 'memory.max', ({ memory }) => one(memory)),
  {
    ...knob('swap', 'memory', 'memory.swap.max', ({ swap }) => one(swap)),
    without: swapNotAccounted,
  },
  knob('memoryReserve', 'memory', 'memory.low', ({ memoryReserve }) => one(memoryReserve)),
  knob('pids', 'pids', 'pids.max', ({ pids }) => one(pids)),
  {
    limit: 'iops',
    controller: 'io',
    files: [
      { name: 'io.bfq.weight', values: ({ iops }) => one(iops), needs: 'bfq' },
      {
        name: 'io.weight',
        values: ({ iops }) => (iops === null ? [] : one(iopsToWeight(iops))),
        needs: 'iocost',
      },
    ],
    without: {
      status: 'skipped',
      reason: 'the kernel has neither io.weight nor io.bfq.weight',
      hint: 'a kernel with CONFIG_BLK_CGROUP_IOCOST, or with bfq (modprobe bfq)',
    },
  },
  knob('io', 'io', 'io.max', ({ io }) => io.flatMap(ioMax)),
]

/**
 * Shares 2..262144 to weight 1..10000, the OCI runtimes' linear conversion
 * (ConvertCPUSharesToCgroupV2Value, opencontainers/runc#2213; crun.1, "CPU controller").
 */
export function sharesToWeight(shares: number): number {
  const inRange = Math.min(Math.max(shares, 2), 262_144)
  return 1 + Math.floor(((inRange - 2) * 9999) / 262_142)
}

/** 10..1000 to 1..10000 (ConvertBlkIOToIOWeightValue, runc). */
export function iopsToWeight(iops: number): number {
  return 1 + Math.floor(((Math.min(Math.max(iops, 10), 1000) - 10) * 9999) / 990)
}

function ioMax({ device, readBps, writeBps, readIops, writeIops }: DeviceLimit): string[] {
  const parts = Object.entries({ rbps: readBps, wbps: writeBps, riops: readIops, wiops: writeIops })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)
  return parts.length === 0 ? [] : [`${device} ${parts.join(' ')}`]
}
