import * as z from 'zod/mini'
import type { ApplyOptions, LogOptions, PatchOptions, ShutdownOptions } from '../api.ts'
import { lazily } from '../lazily.ts'
import { invalidArgument } from '../invalid-argument.ts'
import { graceMilliseconds, signalNumber } from './signals.ts'

const shutdownShape = lazily(() =>
  z.partial(
    z.strictObject({ signal: z.unknown(), graceMs: z.unknown(), target: z.enum(['group', 'leader']) }),
  ),
)

/**
 * What shutdown() was called with, over the supervisor's defaults. Throws INVALID_ARGUMENT naming the option.
 */
export function parseShutdownOptions(
  options: ShutdownOptions,
  defaults: Required<ShutdownOptions>,
): Required<ShutdownOptions> {
  checked(
    'shutdown',
    shutdownShape(),
    options,
    'an object with signal, graceMs and target ("group" or "leader")',
  )
  const { signal = defaults.signal, graceMs = defaults.graceMs, target = defaults.target } = options
  signalNumber(signal)
  return { signal, graceMs: graceMilliseconds(graceMs), target }
}

const applyShape = lazily(() => z.strictObject({ force: z.optional(z.boolean()) }))

/** What apply() was called with. Throws INVALID_ARGUMENT naming the option. */
export function parseApplyOptions(options: ApplyOptions): Required<ApplyOptions> {
  checked('apply', applyShape(), options, 'an object with force (a boolean)')
  return { force: options.force ?? false }
}

/** What contents a file may have to be compared, and what it has by default; bytes. */
const maxFile = { max: 8 * 1024 * 1024, byDefault: 1024 * 1024 }
/** Of all paths together, bytes: they are passed on as arguments. */
const maxPathBytes = 1024 * 1024

const patchShape = lazily(() =>
  z.strictObject({
    paths: z.optional(z.array(z.string())),
    maxFileBytes: z.optional(z.int().check(z.minimum(1), z.maximum(maxFile.max))),
  }),
)

/** What patches() was called with. Throws INVALID_ARGUMENT naming the option. */
export function parsePatchOptions(options: PatchOptions): Required<PatchOptions> {
  const takes = `an object with paths (texts) and maxFileBytes (1 to ${maxFile.max})`
  checked('patches', patchShape(), options, takes)
  const { paths = [], maxFileBytes = maxFile.byDefault } = options
  for (const [index, path] of paths.entries())
    if (path.includes('\0') || path.split('/').some(name => ['', '.', '..'].includes(name)))
      throw invalidArgument(
        `patches: options.paths.${index}`,
        path,
        'a path from the workspace on, as changes() tells it',
      )
  const size = paths.reduce((sum, path) => sum + Buffer.byteLength(path) + 1, 0)
  if (size > maxPathBytes)
    throw invalidArgument('patches: options.paths', paths, `at most ${maxPathBytes} bytes, and has ${size}`)
  return { paths, maxFileBytes }
}

const logShape = lazily(() =>
  z.strictObject({
    follow: z.optional(z.boolean()),
    fromStart: z.optional(z.boolean()),
    tail: z.optional(z.int().check(z.minimum(0))),
    since: z.optional(z.date()),
    only: z.optional(z.enum(['stdout', 'stderr'])),
  }),
)

/** Throws INVALID_ARGUMENT for what is no stream of a task's. */
export function checkStream(call: 'logs$', stream: unknown): void {
  if (stream === 'stdout' || stream === 'stderr') return
  throw invalidArgument(`${call}: stream`, stream, '"stdout" or "stderr"')
}

/** Throws INVALID_ARGUMENT for options that `call` does not take. */
export function checkLogOptions(call: 'logs$' | 'output$', options: LogOptions): void {
  checked(
    call,
    logShape(),
    options,
    'an object with follow, fromStart (booleans), tail (a number of lines) and since (a Date)',
  )
}

function checked(call: string, shape: z.ZodMiniType, options: unknown, takes: string): void {
  const parsed = shape.safeParse(options)
  if (parsed.success) return
  const field = parsed.error.issues[0]?.path.join('.')
  throw invalidArgument(`${call}: options${field ? `.${field}` : ''}`, options, takes)
}
