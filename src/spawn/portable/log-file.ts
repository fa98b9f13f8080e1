import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { join, sep } from 'node:path'
import { anchored } from '../../anchored.ts'
import { O_PATH } from '../../alloc/directory.ts'
import { type Found, openFound } from '../../alloc/open-trusted.ts'
import type { FileTarget, LaunchSpec } from '../spec.ts'

const flags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Descriptors of the supervisor's, by their number there: what they are here. */
export type Given = ReadonlyMap<number, number>

/** Opens the standard input; beneath `base` a plain file without a link on the way, see openLog. */
export function openInput({ base, path }: FileTarget, given: Given): number {
  if (base === null && isGiven(path)) return openGivenInput(givenDescriptor(path, given))
  if (base === null) return openPath(path)
  refuseLinks(base, path)
  const full = join(base, path)
  return checkedFile(openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK), full)
}

/** Found first and opened then: whether it is one that a task could have put there has to be known before its opening can wait or do anything. */
function openPath(path: string): number {
  if (!anchored) return openSync(path, constants.O_RDONLY)
  const { fd, inAllocation } = openFound(path, O_PATH)
  try {
    const stat = fstatSync(fd)
    if (stat.isDirectory()) throw refused('EISDIR', 21, `${path} is a directory`)
    if (inAllocation) refuseUnlessPlain(stat, path)
    return openSync(descriptorPath(fd), constants.O_RDONLY | constants.O_NOCTTY)
  } finally {
    closeSync(fd)
  }
}

/**
 * Opens a log for appending, never through a link. Beneath `base` every component is checked; between the check of a directory and the
 * open a task that owns the directory could still exchange it, which openat2 in the native shim excludes and Node cannot.
 */
export function openLog(
  { base, path }: FileTarget,
  credentials: LaunchSpec['credentials'],
  given: Given,
): number {
  if (isGiven(path)) return openGiven(givenDescriptor(path, given))
  const full = base === null ? path : join(base, path)
  if (base !== null) refuseLinks(base, path)
  if (base === null && isFifo(full)) return openHeld(full)
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

/** How many are written to. Whether their readers have taken everything cannot be asked from here (FIONREAD). */
export let heldFifos = 0

/**
 * A FIFO is held open at both ends until we end: without a reader, or between two of them, the task neither fails to start nor dies of SIGPIPE.
 * O_NONBLOCK stays with what was opened so, and the task is to wait: so its own end is opened when there is a reader, us.
 */
function openHeld(path: string): number {
  const both = openFound(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  const stat = fstatSync(both.fd)
  const isOurs = stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0
  if (!stat.isFIFO() || (both.inAllocation && !isOurs)) {
    closeSync(both.fd)
    throw refused('ENXIO', 6, `${path} is a FIFO in an allocation, and not ours alone`)
  }
  heldFifos++
  return openSync(hasDescriptorPaths() ? descriptorPath(both.fd) : path, constants.O_WRONLY)
}

/**
 * A file is passed as it is, so that neither writes over what the other has written, and a socket, which cannot be opened anew. What else there is gets
 * flags of its own, where it can be opened by a name. A pipe whose reader has gone is an error here, not a wait without end.
 */
function openGiven(fd: number): number {
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

const isFifo = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false
const isGiven = (path: string): boolean => path.startsWith('fd:')

function openGivenInput(fd: number): number {
  if (fstatSync(fd).isSocket() || !hasDescriptorPaths()) return fd
  return openSync(descriptorPath(fd), constants.O_RDONLY)
}

function givenDescriptor(path: string, given: Given): number {
  const fd = given.get(Number(path.slice('fd:'.length)))
  if (fd === undefined) throw refused('ENOENT', 2, `${path} is not open`)
  return fd
}

const descriptors = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd'

const descriptorPath = (fd: number): string => `${descriptors}/${fd}`

/** Not on Windows, and not on a Linux without /proc. */
const hasDescriptorPaths = (): boolean => process.platform !== 'win32' && existsSync(descriptors)

/**
 * With O_CREAT, fs.protected_regular refuses a file of another user in a directory that everybody may write in, which a log of an earlier
 * run is (proc_sys_fs(5)): so that only for a file that is not there yet.
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

function checkedFile(fd: number, path: string): number {
  try {
    refuseUnlessPlain(fstatSync(fd), path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function refuseUnlessPlain(stat: Stats, path: string): void {
  if (!stat.isFile() || stat.nlink !== 1)
    throw refused('EINVAL', 22, `${path} is not a plain file of one name`)
}

function refuseLinks(base: string, path: string): void {
  const components = path.split(sep)
  for (let depth = 1; depth < components.length; depth++) {
    const parent = join(base, ...components.slice(0, depth))
    if (!lstatSync(parent).isDirectory()) throw refused('ELOOP', 40, `${parent} is not a directory`)
  }
}

function refused(code: string, errno: number, message: string): Error {
  return Object.assign(new Error(message), { code, errno: -errno, path: message })
}
