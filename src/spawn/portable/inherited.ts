import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { feedDescriptor, externalOnArrival, type ShimRequest } from './request.ts'

/** O_CLOEXEC, which Node does not name. */
const closeOnExec = 0o2000000

/**
 * What Node opens is closed on exec; what it was born with would be passed on. The flags are in octal,
 * proc_pid_fdinfo(5). Elsewhere Node's own spawn passes on nothing but what it is told to
 * (POSIX_SPAWN_CLOEXEC_DEFAULT on macOS, the list of handles on Windows).
 */
export function closeInherited(request: Pick<ShimRequest, 'fed' | 'externalDescriptors'>): void {
  if (process.platform === 'win32') return
  const wanted = new Set([...externalOnArrival(request).values(), ...(request.fed ? [feedDescriptor] : [])])
  for (const fd of descriptors()) {
    if (fd <= 2 || wanted.has(fd)) continue
    try {
      const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
      if (flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(fd)
    } catch {
      // The descriptor of the listing itself.
    }
  }
}

function descriptors(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo').map(Number)
  } catch {
    return []
  }
}
