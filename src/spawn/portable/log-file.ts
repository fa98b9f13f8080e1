import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Found, openFound } from '../../alloc/open-trusted.ts'
import type { FileTarget, LaunchSpec } from '../spec.ts'
import {
  checkedFile,
  descriptorPath,
  type ExternalDescriptors,
  externalDescriptor,
  hasDescriptorPaths,
  isExternal,
  refuseLinks,
  refused,
} from './opening.ts'

const flags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * Opens a log for appending, never through a link. Beneath `base` every component is checked; between the
 * check of a directory and the open a task that owns the directory could still exchange it, which openat2 in
 * the native shim excludes and Node cannot.
 */
export function openLog(
  { base, path }: FileTarget,
  credentials: LaunchSpec['credentials'],
  external: ExternalDescriptors,
): number {
  if (isExternal(path)) return openExternal(externalDescriptor(path, external))
  const full = base === null ? path : join(base, path)
  if (base !== null) refuseLinks(base, path)
  if (isFifo(full)) return openHeld(full, base !== null)
  const { fd, inAllocation } = openOrCreate(full, base === null ? openFound : openWithin)
  if (base === null && !inAllocation) return fd
  checkedFile(fd, full)
  if (base === null) return fd
  const stat = fstatSync(fd)
  // So that the task can open /dev/stdout again.
  if (credentials && stat.uid !== credentials.uid && stat.size === 0) {
    fchownSync(fd, credentials.uid, credentials.gid)
    fchmodSync(fd, 0o640)
  }
  return fd
}

/**
 * How many are written to. Whether their readers have taken everything cannot be asked from here (FIONREAD).
 */
export let heldFifos = 0

/**
 * A FIFO is held open at both ends until we end: without a reader, or between two of them, the task neither
 * fails to start nor dies of SIGPIPE. O_NONBLOCK stays with what was opened so, and the task is to wait: so
 * its own end is opened when there is a reader, us.
 */
function openHeld(path: string, planted: boolean): number {
  const both = openFound(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  const stat = fstatSync(both.fd)
  const isOurs = stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0
  if (!stat.isFIFO() || ((planted || both.inAllocation) && !isOurs)) {
    closeSync(both.fd)
    throw refused('ENXIO', 6, `${path} is a FIFO in an allocation, and not ours alone`)
  }
  heldFifos++
  return openSync(hasDescriptorPaths() ? descriptorPath(both.fd) : path, constants.O_WRONLY)
}

/**
 * A file is passed as it is, so that neither writes over what the other has written, and a socket, which
 * cannot be opened anew. What else there is gets flags of its own, where it can be opened by a name. A pipe
 * whose reader has gone is an error here, not a wait without end.
 */
function openExternal(fd: number): number {
  const stat = fstatSync(fd)
  // EBADF where it is not open for writing.
  if (stat.isFile()) writeSync(fd, '')
  if (stat.isFile() || stat.isSocket() || !hasDescriptorPaths()) return fd
  const path = descriptorPath(fd)
  const writing = constants.O_WRONLY | constants.O_APPEND | constants.O_NOCTTY
  const tried = openSync(path, writing | constants.O_NONBLOCK)
  try {
    return openSync(path, writing)
  } finally {
    closeSync(tried)
  }
}

/**
 * With O_CREAT, fs.protected_regular refuses a file of another user in a directory that everybody may write
 * in, which a log of an earlier run is (proc_sys_fs(5)): so that only for a file that is not there yet.
 */
function openOrCreate(path: string, open: typeof openFound): Found {
  try {
    return open(path, flags)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return open(path, flags | constants.O_CREAT, 0o640)
  }
}

/** What lies beneath a base, whose way has been looked at. */
function openWithin(path: string, how: number, mode?: number): Found {
  return { fd: openSync(path, how, mode), inAllocation: true }
}

/** Also behind a link, which is followed or refused when it is opened. */
const isFifo = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false
