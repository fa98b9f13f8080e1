import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { openTrusted } from '../alloc/open-trusted.ts'
import { anchored } from '../anchored.ts'
import { HoldfastError } from '../errors.ts'
import type { FileTarget } from '../spawn/spec.ts'

/**
 * Opens a task's log for reading. What lies beneath `base` may belong to a hostile task, and we may be root:
 * no component is followed if it is a link, and only a plain file is read. Null when there is no log (yet).
 */
export function openLogForReading({ base, path }: FileTarget): number | null {
  try {
    if (path.startsWith('fd:')) throw unreadable(path)
    const fd =
      base === null ? openTrusted(path, readFlags) : beneath(base, path, at => openSync(at, leafFlags))
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
    // What was thrown away was not kept.
    if (path === '/dev/null') return null
    throw unreadable(base === null ? path : join(base, path))
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    const { code } = error as NodeJS.ErrnoException
    // A socket cannot be opened.
    if (code === 'ENXIO') throw unreadable(base === null ? path : join(base, path))
    if (code === 'ENOENT') return null
    throw cannotOpen({ base, path }, error as NodeJS.ErrnoException)
  }
}

const readFlags = constants.O_RDONLY | constants.O_NONBLOCK
const leafFlags = readFlags | constants.O_NOFOLLOW

/** Tells one file from another, without opening it; null: there is none, or something that is no log. */
export function logIdentity({ base, path }: FileTarget): string | null {
  try {
    const stat = (at: string) => lstatSync(at, { bigint: true })
    const found = base === null ? stat(path) : beneath(base, path, stat)
    return found.isFile() ? `${found.dev}:${found.ino}` : null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw cannotOpen({ base, path }, error as NodeJS.ErrnoException)
  }
}

/**
 * The plain files beside a log whose names begin with the log's: what comes behind that. None where the
 * directory is not there.
 */
export function siblingFiles({ base, path }: FileTarget): string[] {
  const name = basename(path)
  const list = (at: string) =>
    readdirSync(dirname(at), { withFileTypes: true }).flatMap(entry =>
      entry.isFile() && entry.name.startsWith(name) ? entry.name.slice(name.length) : [],
    )
  try {
    return base === null ? list(path) : beneath(base, path, list)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cannotOpen({ base, path }, error as NodeJS.ErrnoException)
  }
}

function cannotOpen({ base, path }: FileTarget, error: NodeJS.ErrnoException): HoldfastError {
  const { code, message } = error
  const details = { path: base === null ? path : join(base, path), errno: code, cause: error }
  switch (code) {
    case 'ELOOP':
    case 'ENOTDIR':
      return new HoldfastError(
        'PERMISSION',
        `the log ${path} is behind a symbolic link, which the task may have planted`,
        details,
      )
    case 'EAGAIN':
      return new HoldfastError(
        'PERMISSION',
        `the log ${path} is under a lease that its holder does not give up`,
        {
          ...details,
          hint: 'The kernel takes a lease away after fs.lease-break-time seconds (fcntl(2), F_SETLEASE); then it can be read.',
        },
      )
    case 'EACCES':
    case 'EPERM':
      return new HoldfastError('PERMISSION', `the log ${path} cannot be read: ${message}`, details)
    default:
      return new HoldfastError('INVALID_STATE', `the log ${path} cannot be read: ${message}`, details)
  }
}

/** Somebody holds a lease on it: it can be opened a little later. */
export const isLeased = (error: unknown): boolean =>
  error instanceof HoldfastError && error.errno === 'EAGAIN'

function unreadable(path: string): HoldfastError {
  return new HoldfastError('UNSUPPORTED', `${path} is not a plain file, so it cannot be read as a log`, {
    path,
  })
}

/**
 * A lookup component by component, through /proc/self/fd: each step starts from the directory that was
 * checked, not from its name. `use` must not follow a link.
 */
function beneath<Value>(base: string, path: string, use: (at: string) => Value): Value {
  const components = path.split(sep)
  const leaf = components.pop() as string
  let directory = openSync(base, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const component of components) {
      const next = openSync(
        child(directory, base, component),
        constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      )
      closeSync(directory)
      directory = next
      base = join(base, component)
    }
    return use(child(directory, base, leaf))
  } finally {
    closeSync(directory)
  }
}

function child(directory: number, name: string, component: string): string {
  return anchored ? `/proc/self/fd/${directory}/${component}` : join(name, component)
}

/**
 * How far back a last line is looked for: a log without newlines, or made of a hole, must not hold up who
 * asks.
 */
const maxTail = 16 * 1024 * 1024

/**
 * Where to begin so that the last `lines` lines of a log follow, or its last 16 MiB. `fds`: its files (one at
 * least), the oldest first. `index` is the file to begin with.
 */
export function tailPlace(
  fds: readonly number[],
  lines: number,
): { readonly index: number; readonly offset: number } {
  if (lines <= 0) return { index: fds.length - 1, offset: fstatSync(fds.at(-1) as number).size }
  let [missing, max, newest] = [lines, maxTail, true]
  for (let index = fds.length - 1; ; index--) {
    const fd = fds[index] as number
    const { size } = fstatSync(fd)
    const found = lookBack(fd, size, { lines: missing, max, newest })
    missing = found.missing
    max -= size - found.offset
    newest &&= size === 0
    if (missing === 0 || max <= 0 || index === 0) return { index, offset: found.offset }
  }
}

type LookBack = {
  readonly lines: number
  readonly max: number
  /** Nothing comes after it: the newline that ends the file ends its last line; it does not begin another. */
  readonly newest: boolean
}

function lookBack(fd: number, size: number, { lines, max, newest }: LookBack) {
  const block = Buffer.allocUnsafe(64 * 1024)
  let position = size
  let missing = lines
  while (position > Math.max(0, size - max)) {
    const length = Math.min(block.length, position)
    position -= length
    const read = readSync(fd, block, 0, length, position)
    for (let index = read - 1; index >= 0; index--) {
      if (block[index] !== 10 || (newest && position + index === size - 1)) continue
      if (--missing === 0) return { offset: position + index + 1, missing }
    }
  }
  return { offset: position, missing }
}
