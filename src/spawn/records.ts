import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod/mini'
import english from 'zod/v4/locales/en.js'
import { type ExitRecord, type StartRecord, uncounted } from '../../machines/index.ts'
import { HoldfastError } from '../errors.ts'
import { systemError } from '../system-error.ts'
import { lazily } from '../lazily.ts'

/** A record that is there but cannot be believed, and why. */
export type Corrupt = { readonly corrupt: string }

const schemas = lazily(() => {
  const pid = z.int().check(z.minimum(1), z.maximum(0x7fffffff))
  const count = z.int().check(z.minimum(0))
  const epochMs = z.int().check(z.minimum(0), z.maximum(8.64e15))
  const signal = z.int().check(z.minimum(1), z.maximum(64))
  const identity = z.object({ pid, startTime: count })
  // They will be removed: nothing but a plain absolute path can have been meant.
  const cgroupPath = z
    .string()
    .check(z.refine(path => path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..')))

  const start = z.object({
    format: z.literal('holdfast.start'),
    version: z.literal(1),
    shim: identity,
    task: identity,
    init: z.nullable(identity),
    bootId: z.string().check(z.maxLength(128)),
    startedAt: epochMs,
    cgroups: z.array(cgroupPath),
  })

  const limitCounts = z.object({
    pidsRefused: z.nullable(count),
    memoryHigh: z.nullable(count),
    throttledUs: z.nullable(count),
    egressDenied: z.nullable(count),
    logBytesDropped: z.nullable(count),
  })

  const stopped = z.object({
    reason: z.enum(['shutdown', 'force', 'timeout', 'output', 'orphaned']),
    signal,
    at: epochMs,
    forcedAt: z.nullable(epochMs),
  })

  const exit = z
    .object({
      format: z.literal('holdfast.exit'),
      version: z.literal(1),
      // Windows, where only the portable shim runs, has 32 bits of it.
      exitCode: z.nullable(z.int().check(z.minimum(0), z.maximum(0xffffffff))),
      signal: z.nullable(signal),
      coreDumped: z.boolean(),
      rusage: z.nullable(z.object({ userUs: count, systemUs: count, maxRssKb: count })),
      startedAt: z.nullable(epochMs),
      exitedAt: epochMs,
      oomKills: z.nullable(count),
      stop: z.nullable(stopped),
      survivors: z.array(pid),
      logsComplete: z.boolean(),
      // A shim that was started by an earlier version does not count.
      limitsHit: z._default(limitCounts, uncounted),
      failure: z.nullable(
        z.object({ stage: z.string().check(z.minLength(1)), errno: count, detail: z.string() }),
      ),
    })
    .check(
      z.refine(
        ({ exitCode, signal, failure, survivors }) => {
          const ends = [exitCode, signal, failure].filter(end => end !== null).length
          // A leader that could not be killed has not ended: then it is named instead.
          return ends === 1 || (ends === 0 && survivors.length > 0)
        },
        {
          error: 'exactly one of exitCode, signal and failure says how it ended',
        },
      ),
      z.refine(({ coreDumped, signal }) => !coreDumped || signal !== null, {
        error: 'a core dump without a signal',
      }),
    )
  return { start, exit, english: english().localeError }
})

/** Reads the text of a start.json. Never throws. Fields it does not know are left out. */
export function parseStart(text: string): StartRecord | Corrupt {
  return parseRecord(text, schemas().start)
}

/** Reads the text of an exit.json. Never throws. Fields it does not know are left out. */
export function parseExit(text: string): ExitRecord | Corrupt {
  return parseRecord(text, schemas().exit)
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

function parseRecord<T>(text: string, schema: z.ZodMiniType<T>): T | Corrupt {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { corrupt: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const result = schema.safeParse(value, { error: schemas().english })
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
  const { errno, denied, words, hint } = systemError(error)
  return new HoldfastError(
    denied ? 'PERMISSION' : 'INVALID_STATE',
    `cannot read ${path}: ${errno ?? words}`,
    {
      errno,
      path,
      cause: error,
      hint: errno === 'EACCES' ? 'The state directory belongs to another user; run as that one.' : hint,
    },
  )
}
