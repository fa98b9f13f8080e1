import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { basename, sep } from 'node:path'
import {
  type EnforcedRecord,
  enforcedRecord,
  type ExitRecord,
  exitRecord,
  type Shape,
  type StartRecord,
  startRecord,
} from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { systemError } from '../system-error.ts'

/** A record that is there but cannot be believed, and why. */
export type Corrupt = { readonly corrupt: string }

/** Reads the text of a start.json. Never throws. Fields it does not know are left out. */
export function parseStart(text: string): StartRecord | Corrupt {
  return parseRecord(text, startRecord)
}

/** Reads the text of an exit.json. Never throws. Fields it does not know are left out. */
export function parseExit(text: string): ExitRecord | Corrupt {
  return parseRecord(text, exitRecord)
}

/**
 * start.json of a task's directory; null if there is none. Throws HoldfastError if it is there and the system
 * will not let it be read.
 */
export function readStart(dir: string): StartRecord | Corrupt | null {
  const record = readRecord(`${dir}${sep}start.json`, parseStart)
  const other =
    record === null || 'corrupt' in record ? undefined : record.cgroups.find(path => !mayHave(dir, path))
  return other === undefined ? record : { corrupt: `cgroups: ${other} is another task's` }
}

/**
 * Tasks' own cgroups bear their key, in a systemd scope after a name, and those of exec sessions, below a
 * task's, theirs; others are an orchestrator's.
 */
function mayHave(dir: string, cgroup: string): boolean {
  const [name = '', ...above] = cgroup.split('/').toReversed()
  const isOurs = above.slice(0, 2).includes('holdfast')
  return !isOurs || name.slice(name.lastIndexOf('.') + 1) === basename(dir)
}

/** exit.json of a task's directory; null if there is none. Throws as {@link readStart} does. */
export function readExit(dir: string): ExitRecord | Corrupt | null {
  return readRecord(`${dir}${sep}exit.json`, parseExit)
}

/**
 * enforced.json of a task's directory; null if there is none, or none that can be read and believed: a task
 * runs as well without it. Never throws.
 */
export function readEnforced(dir: string): EnforcedRecord | null {
  try {
    const record = readRecord(`${dir}${sep}enforced.json`, text => parseRecord(text, enforcedRecord))
    return record === null || 'corrupt' in record ? null : record
  } catch {
    return null
  }
}

function parseRecord<T>(text: string, shape: Shape<T>): T | Corrupt {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { corrupt: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const fault = shape.fault(value)
  return fault === null ? shape.known(value) : { corrupt: fault }
}

const largest = 1024 * 1024

function readRecord<T>(path: string, parse: (text: string) => T | Corrupt): T | Corrupt | null {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO in its place must not hang the supervisor.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    return unopened(error, path)
  }
  try {
    // As nearly all are: what has bytes, and fewer than it was asked for, has been read to its end.
    const length = readBlock(fd)
    if (length > 0 && length < block.length) return parse(block.toString('utf8', 0, length))
    const stats = fstatSync(fd)
    if (!stats.isFile()) return { corrupt: 'it is not a regular file' }
    if (stats.size > largest)
      return { corrupt: `it has ${stats.size} bytes; a record has at most ${largest}` }
    return parse(readText(fd, stats.size))
  } catch (error) {
    throw unreadable(error, path)
  } finally {
    closeSync(fd)
  }
}

/** Records are short, and read one after the other. */
const block = Buffer.alloc(4096)

/** 0: nothing can be read of it. */
function readBlock(fd: number): number {
  try {
    return readSync(fd, block, 0, block.length, null)
  } catch {
    return 0
  }
}

/** As much as it had when it was looked at: a record is put in its place as a whole, and never written to. */
function readText(fd: number, size: number): string {
  const bytes = size <= block.length ? block : Buffer.alloc(size)
  let length = 0
  for (let more = 1; more > 0 && length < size; length += more)
    more = readSync(fd, bytes, length, size - length, length)
  return bytes.toString('utf8', 0, length)
}

function unopened(error: unknown, path: string): Corrupt | null {
  const errno = (error as NodeJS.ErrnoException).code
  if (errno === 'ENOENT') return null
  if (errno === 'ELOOP' || errno === 'ENXIO') return { corrupt: 'it is not a regular file' }
  throw unreadable(error, path)
}

/**
 * Too few descriptors or a failing disk say nothing about the record: a task must not be given up as corrupt
 * for them.
 */
function unreadable(error: unknown, path: string): HoldfastError {
  const { errno, denied, words, hint } = systemError(error, 'reading a record')
  return new HoldfastError(
    denied ? 'PERMISSION' : 'INVALID_STATE',
    `cannot read ${path}: ${errno ?? words}`,
    {
      errno,
      path,
      cause: error,
      hint,
    },
  )
}
