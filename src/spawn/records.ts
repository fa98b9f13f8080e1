import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod'
import type { ExitRecord, StartRecord } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'

/** A record that is there but cannot be believed, and why. */
export type Corrupt = { readonly corrupt: string }

const pid = z.int().min(1).max(0x7fffffff)
const count = z.int().min(0)
const epochMs = z.int().min(0).max(8.64e15)
const signal = z.int().min(1).max(64)
const identity = z.object({ pid, startTime: count })
// They will be removed: nothing but a plain absolute path can have been meant.
const cgroupPath = z
  .string()
  .refine(path => path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'))

const startSchema = z.object({
  format: z.literal('holdfast.start'),
  version: z.literal(1),
  shim: identity,
  task: identity,
  init: identity.nullable(),
  bootId: z.string().max(128),
  startedAt: epochMs,
  cgroups: z.array(cgroupPath),
})

const stopSchema = z.object({
  reason: z.enum(['shutdown', 'force', 'timeout', 'orphaned']),
  signal,
  at: epochMs,
  forcedAt: epochMs.nullable(),
})

const exitSchema = z
  .object({
    format: z.literal('holdfast.exit'),
    version: z.literal(1),
    // Windows, where only the portable shim runs, has 32 bits of it.
    exitCode: z.int().min(0).max(0xffffffff).nullable(),
    signal: signal.nullable(),
    coreDumped: z.boolean(),
    rusage: z.object({ userUs: count, systemUs: count, maxRssKb: count }).nullable(),
    startedAt: epochMs.nullable(),
    exitedAt: epochMs,
    oomKills: count.nullable(),
    stop: stopSchema.nullable(),
    survivors: z.array(pid),
    logsComplete: z.boolean(),
    failure: z.object({ stage: z.string().min(1), errno: count, detail: z.string() }).nullable(),
  })
  .refine(
    ({ exitCode, signal, failure, survivors }) => {
      const ends = [exitCode, signal, failure].filter(end => end !== null).length
      // A leader that could not be killed has not ended: then it is named instead.
      return ends === 1 || (ends === 0 && survivors.length > 0)
    },
    {
      error: 'exactly one of exitCode, signal and failure says how it ended',
    },
  )
  .refine(({ coreDumped, signal }) => !coreDumped || signal !== null, {
    error: 'a core dump without a signal',
  })

/** Reads the text of a start.json. Never throws. Fields it does not know are left out. */
export function parseStart(text: string): StartRecord | Corrupt {
  return parseRecord(text, startSchema)
}

/** Reads the text of an exit.json. Never throws. Fields it does not know are left out. */
export function parseExit(text: string): ExitRecord | Corrupt {
  return parseRecord(text, exitSchema)
}

/** start.json of a task's directory; null if there is none. Throws HoldfastError if it is there and the system will not let it be read. */
export function readStart(dir: string): StartRecord | Corrupt | null {
  const record = readRecord(join(dir, 'start.json'), parseStart)
  const other =
    record === null || 'corrupt' in record ? undefined : record.cgroups.find(path => !mayHave(dir, path))
  return other === undefined ? record : { corrupt: `cgroups: ${other} is another task's` }
}

/** Tasks' own cgroups bear their key, in a systemd scope after a name; others are an orchestrator's. */
function mayHave(dir: string, cgroup: string): boolean {
  const [name = '', parent] = cgroup.split('/').toReversed()
  return parent !== 'holdfast' || name.slice(name.lastIndexOf('.') + 1) === basename(dir)
}

/** exit.json of a task's directory; null if there is none. Throws as {@link readStart} does. */
export function readExit(dir: string): ExitRecord | Corrupt | null {
  return readRecord(join(dir, 'exit.json'), parseExit)
}

function parseRecord<T>(text: string, schema: z.ZodType<T>): T | Corrupt {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { corrupt: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  return { corrupt: [issue?.path.join('.'), issue?.message].filter(Boolean).join(': ') }
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
    const stats = fstatSync(fd)
    if (!stats.isFile()) return { corrupt: 'it is not a regular file' }
    if (stats.size > largest)
      return { corrupt: `it has ${stats.size} bytes; a record has at most ${largest}` }
    return parse(readFileSync(fd, 'utf8'))
  } catch (error) {
    throw unreadable(error, path)
  } finally {
    closeSync(fd)
  }
}

function unopened(error: unknown, path: string): Corrupt | null {
  const errno = (error as NodeJS.ErrnoException).code
  if (errno === 'ENOENT') return null
  if (errno === 'ELOOP' || errno === 'ENXIO') return { corrupt: 'it is not a regular file' }
  throw unreadable(error, path)
}

/** Too few descriptors or a failing disk say nothing about the record: a task must not be given up as corrupt for them. */
function unreadable(error: unknown, path: string): HoldfastError {
  const errno = (error as NodeJS.ErrnoException).code
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'PERMISSION' : 'INVALID_STATE'
  return new HoldfastError(code, `cannot read ${path}: ${errno}`, {
    errno,
    path,
    cause: error,
    hint: hints[errno ?? ''],
  })
}

const hints: Record<string, string> = {
  EMFILE: 'Raise the limit on open files (ulimit -n) of this program, or close some.',
  ENFILE: 'The system has too many open files; raise fs.file-max.',
  EIO: 'The disk fails.',
  EACCES: 'The state directory belongs to another user; run as that one.',
}
