import { join } from 'node:path'
import { readNames, readText } from '../../if-there.ts'
import type { CgroupHost } from './cgroup-mode.ts'
import type { Shortfall } from './knob.ts'

/**
 * Weights are taken by the kernel whether or not anything on the host acts on them. Null when something does.
 */
export function ioNeedUnmet(need: 'bfq' | 'iocost', host: CgroupHost, sys: string): Shortfall | null {
  return need === 'bfq' ? bfqUnmet(sys) : iocostUnmet(host)
}

function bfqUnmet(sys: string): Shortfall | null {
  const disks = readNames(join(sys, 'block'))
  if (disks.some(disk => readText(join(sys, 'block', disk, 'queue/scheduler')).includes('[bfq]'))) return null
  return {
    status: 'weakened',
    reason: 'no disk uses the bfq scheduler, the only one that heeds this weight',
    hint: 'echo bfq > /sys/block/DISK/queue/scheduler',
  }
}

/** io.cost.qos exists in the root cgroup only (cgroup-v2.rst, "IO Interface Files"). */
function iocostUnmet({ v2 }: CgroupHost): Shortfall | null {
  if (v2 && readText(join(v2.mount, 'io.cost.qos')).includes('enable=1')) return null
  return {
    status: 'weakened',
    reason: 'no disk has the io.cost controller switched on, so nothing heeds io.weight',
    hint: `echo "MAJOR:MINOR enable=1" > ${v2?.mount ?? '/sys/fs/cgroup'}/io.cost.qos`,
  }
}
