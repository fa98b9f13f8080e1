import { parseCpuList } from '../linux/cpu-list.ts'

/** Whether what a file says is at least as strict as what was written into it. */
type AtLeast = (found: string, written: string) => boolean

/** By the file's name; all others hold one number, which is a weight or a switch and must be the same. */
const rules: Readonly<Record<string, AtLeast>> = {
  'memory.limit_in_bytes': atMost,
  'memory.memsw.limit_in_bytes': atMost,
  'memory.kmem.tcp.limit_in_bytes': atMost,
  'memory.max': atMost,
  'memory.swap.max': atMost,
  'pids.max': atMost,
  'cpu.cfs_quota_us': atMost,
  'cpu.max': bandwidth,
  'cpuset.cpus': processors,
  // Rounded to pages by the kernel, of 64 KiB at most.
  'memory.low': rounded,
  'memory.soft_limit_in_bytes': rounded,
  'memory.oom_control': (found, written) => /^oom_kill_disable (\d)/m.exec(found)?.[1] === written,
  'memory.oom.group': (found, written) => found === written || written === '0',
  'io.max': eachDevice((found, written) => throttles(found, written)),
  'blkio.throttle.read_bps_device': eachDevice(atMost),
  'blkio.throttle.write_bps_device': eachDevice(atMost),
  'blkio.throttle.read_iops_device': eachDevice(atMost),
  'blkio.throttle.write_iops_device': eachDevice(atMost),
}

export function isAtLeast(file: string, found: string, written: string): boolean {
  return (rules[file] ?? equal)(found, written)
}

/** io.weight and its like say `default N` where N was written. */
function equal(found: string, written: string): boolean {
  const [line = ''] = found.split('\n')
  return line.replace(/^default /, '') === written
}

/** A limit of 0 is one; what is no number (`max`, `-1`) is none. */
function atMost(found: string, written: string): boolean {
  if (!/^\d+$/.test(written)) return true
  return /^\d+$/.test(found) && BigInt(found) <= BigInt(written)
}

/** None named are all that the parent has. */
function processors(found: string, written: string): boolean {
  const wanted = parseCpuList(written)
  return found !== '' && [...parseCpuList(found)].every(cpu => wanted.has(cpu))
}

function rounded(found: string, written: string): boolean {
  if (!/^\d+$/.test(found) || !/^\d+$/.test(written)) return found === written
  const less = BigInt(written) - BigInt(found)
  return less >= 0n && less < 65_536n
}

/** `QUOTA PERIOD`. */
function bandwidth(found: string, written: string): boolean {
  const [quota, period] = found.split(' ').map(Number)
  const [wantedQuota, wantedPeriod] = written.split(' ').map(Number)
  if (!quota || !period || !wantedQuota || !wantedPeriod) return false
  return quota * wantedPeriod <= wantedQuota * period
}

/** Lines of a device and what it gets. */
function eachDevice(rule: AtLeast): AtLeast {
  return (found, written) => {
    const [device = '', ...words] = written.split(' ')
    const line = found.split('\n').find(text => text.startsWith(`${device} `))
    return line !== undefined && rule(line.slice(device.length + 1), words.join(' '))
  }
}

/** `rbps=1048576 wbps=max ...` */
function throttles(found: string, written: string): boolean {
  const has = new Map(found.split(' ').map(word => word.split('=') as [string, string]))
  return written.split(' ').every(word => {
    const [name = '', value = ''] = word.split('=')
    return atMost(has.get(name) ?? 'max', value)
  })
}
