import { Readable } from 'node:stream'
import * as z from 'zod/mini'
import type { Command, Resources, RunOptions, ShutdownOptions } from '../api.ts'
import { lazily } from '../lazily.ts'
import { invalidArgument } from '../invalid-argument.ts'
import { untrusted as untrustedDefaults, type UntrustedOptions } from '../command/untrusted.ts'
import { HoldfastError } from '../errors.ts'

const defaultMaxOutputBytes = 16 * 1024 * 1024

/** What run() was called with: what goes into the command, and what is run()'s own. */
export type ParsedRun = {
  readonly command: Partial<Command>
  readonly limits: Resources | null
  readonly signal: AbortSignal | null
  readonly shutdown: ShutdownOptions
  readonly maxOutputBytes: number
  readonly keep: boolean
  /** What its executor is made with. */
  readonly executor: UntrustedOptions | Record<never, never>
}

const checks = lazily(
  () =>
    ({
      signal: [z.instanceof(AbortSignal), 'an AbortSignal'],
      input: [
        z.union([z.string(), z.instanceof(Uint8Array), z.instanceof(Readable)]),
        'a string, bytes or a Readable',
      ],
      maxOutputBytes: [z.int().check(z.minimum(0)), 'bytes, a whole number, 0 or more'],
      keep: [z.boolean(), 'true or false'],
      untrusted: [z.boolean(), 'true or false'],
    }) as const satisfies Partial<Record<keyof RunOptions, readonly [z.ZodMiniType, string]>>,
)

/**
 * Throws INVALID_ARGUMENT for what is no list of arguments; what they hold is checked where they are used.
 */
export function parseArguments(args: readonly string[]): string[] {
  if (!Array.isArray(args)) throw invalidArgument('run: args', args, 'an array of strings')
  return [...(args as readonly string[])]
}

/**
 * Throws INVALID_ARGUMENT naming the option. What is said of the command and the limits is checked where they
 * are used.
 */
export function parseRunOptions(options: RunOptions): ParsedRun {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('run: options', options, 'an object')
  for (const [name, [shape, takes]] of Object.entries(checks())) {
    const value: unknown = options[name as keyof ReturnType<typeof checks>]
    // Input may be a secret, and errors end in logs.
    if (value !== undefined && !shape.safeParse(value).success)
      throw invalidArgument(`run: options.${name}`, name === 'input' ? typeof value : value, takes)
  }
  const {
    limits,
    signal,
    input,
    shutdown = {},
    maxOutputBytes = defaultMaxOutputBytes,
    keep = false,
    untrusted = false,
    ...command
  } = options
  if (input !== undefined && command.stdin !== undefined) {
    throw new HoldfastError('INVALID_ARGUMENT', 'run: options.input cannot go with options.stdin', {
      hint: 'Both say what the program reads from its standard input: give one of them.',
    })
  }
  if (input !== undefined) command.stdin = readable(input)
  const asked = { command, resources: limits ?? {} }
  const effective = untrusted ? untrustedDefaults(asked.command, asked.resources) : { ...asked, options: {} }
  return {
    command: effective.command,
    limits: limits === undefined && !untrusted ? null : effective.resources,
    signal: signal ?? null,
    shutdown,
    maxOutputBytes,
    keep,
    executor: effective.options,
  }
}

function readable(input: string | Uint8Array | Readable): Readable {
  if (input instanceof Readable) return input
  const bytes = Buffer.from(input)
  return Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false })
}
