import type { DeviceLimit } from '../limits.ts'
import { cpuBandwidth, type Knob, knob, one, swapNotAccounted } from './knob.ts'

/**
 * Documentation/admin-guide/cgroup-v1. In the order of writing: memsw may not be set below limit_in_bytes, so
 * it comes second.
 */
export const v1Knobs: readonly Knob[] = [
  knob('cpu', 'cpu', 'cpu.shares', ({ cpu }) => one(cpu)),
  knob('cpuLimit', 'cpu', 'cpu.cfs_period_us', ({ cpuLimit }) =>
    cpuLimit === null ? [] : one(cpuBandwidth(cpuLimit).periodUs),
  ),
  knob('cpuLimit', 'cpu', 'cpu.cfs_quota_us', ({ cpuLimit }) =>
    cpuLimit === null ? [] : one(cpuBandwidth(cpuLimit).quotaUs),
  ),
  knob('cpuset', 'cpuset', 'cpuset.cpus', ({ cpuset }) => one(cpuset)),
  knob('memory', 'memory', 'memory.limit_in_bytes', ({ memory }) => one(memory)),
  {
    ...knob('swap', 'memory', 'memory.memsw.limit_in_bytes', ({ memory, swap }) =>
      memory === null || swap === null ? [] : one(memory + swap),
    ),
    without: swapNotAccounted,
  },
  {
    // TCP buffers are counted apart from all other memory (memory.rst, 2.7): as much again, at most.
    ...knob('memory', 'memory', 'memory.kmem.tcp.limit_in_bytes', ({ memory }) => one(memory)),
    without: {
      status: 'weakened',
      reason: 'the kernel does not limit the buffers of TCP connections on cgroup v1',
      hint: 'use cgroup v2, which counts them as memory: systemd.unified_cgroup_hierarchy=1',
    },
  },
  {
    // "Not disabled": the kernel kills one, as it does unless told otherwise (memory.rst, 10).
    ...knob('oom', 'memory', 'memory.oom_control', ({ oom }) => (oom === null ? [] : ['0'])),
    short: ({ oom }) => (oom === 'task' ? killedByShim : null),
  },
  knob('memoryReserve', 'memory', 'memory.soft_limit_in_bytes', ({ memoryReserve }) => one(memoryReserve)),
  knob('pids', 'pids', 'pids.max', ({ pids }) => one(pids)),
  {
    limit: 'iops',
    controller: 'blkio',
    files: [
      { name: 'blkio.weight', values: ({ iops }) => one(iops) },
      { name: 'blkio.bfq.weight', values: ({ iops }) => one(iops), needs: 'bfq' },
    ],
    without: {
      status: 'skipped',
      reason: 'the kernel has neither blkio.weight nor blkio.bfq.weight',
      hint: 'a kernel with CONFIG_BFQ_GROUP_IOSCHED and the bfq scheduler on the disk (modprobe bfq)',
    },
  },
  throttle('blkio.throttle.read_bps_device', ({ readBps }) => readBps),
  throttle('blkio.throttle.write_bps_device', ({ writeBps }) => writeBps),
  throttle('blkio.throttle.read_iops_device', ({ readIops }) => readIops),
  throttle('blkio.throttle.write_iops_device', ({ writeIops }) => writeIops),
]

const killedByShim = {
  status: 'weakened',
  reason:
    'on cgroup v1 the kernel kills one process, and the shim the others when it hears of it, a moment later; where the memory of the whole host is out it is not told',
  hint: 'use cgroup v2, where the kernel kills them all at once: systemd.unified_cgroup_hierarchy=1',
} as const

function throttle(name: string, pick: (limit: DeviceLimit) => number | null): Knob {
  return knob('io', 'blkio', name, ({ io }) =>
    io.flatMap(limit => (pick(limit) === null ? [] : [`${limit.device} ${pick(limit)}`])),
  )
}
