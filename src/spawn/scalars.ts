import type { Command } from '../api.ts'

/** How much of it the portable shim gives; null: all. */
type Shortfall = {
  readonly status: 'weakened' | 'skipped'
  readonly reason: string
  readonly mendable: boolean
}

/** Where the portable shim runs. */
type PortableHost = { readonly platform: string; readonly hasOomScore: boolean }

type Scalar = {
  /** As docs/native-protocol.md and the native program's table have it. */
  readonly option: string
  readonly portable: (host: PortableHost) => Shortfall | null
}

/**
 * The fields of Command that are one word or number, and that a shim gives the task's process as they are, in
 * the order of the protocol. A new one is a row here, besides its type (src/api.ts), its schema
 * (src/command/command-schema.ts) and the native program's part (spec.h, spec.c, child.c).
 */
export const scalars = {
  nice: {
    option: 'nice',
    portable: ({ platform }) =>
      platform === 'win32'
        ? {
            status: 'weakened',
            reason: 'Windows has six classes of priority, and gives the nearest',
            mendable: false,
          }
        : null,
  },
  oomScoreAdj: {
    option: 'oom-score-adj',
    portable: ({ hasOomScore }) =>
      hasOomScore
        ? null
        : { status: 'skipped', reason: 'only the kernel of Linux has it, in /proc', mendable: true },
  },
  cpuPolicy: {
    option: 'cpu-policy',
    portable: () => ({
      status: 'skipped',
      reason: 'Node cannot set the scheduling policy of a process',
      mendable: true,
    }),
  },
} as const satisfies Partial<Record<keyof Command, Scalar>>

export type ScalarField = keyof typeof scalars

/** Null: not asked for. */
export type ScalarSpec = { readonly [Field in ScalarField]: NonNullable<Command[Field]> | null }

export const scalarFields = Object.keys(scalars) as readonly ScalarField[]

export function scalarsOf(command: Readonly<Command>): ScalarSpec {
  const found: Partial<Record<ScalarField, unknown>> = { ...noScalars }
  for (const field of scalarFields) found[field] = command[field] ?? null
  return found as ScalarSpec
}

const noScalars = Object.fromEntries(scalarFields.map(field => [field, null]))

/** Those that are more than a word, and are planned elsewhere. */
type PlannedField =
  | ('path' | 'args' | 'argv0' | 'interpolate' | 'env' | 'cwd' | 'umask' | 'user' | 'group')
  | ('stdin' | 'stdout' | 'stderr' | 'terminal' | 'logs')
  | ('hostname' | 'network' | 'mounts' | 'tmpfs' | 'devices' | 'root' | 'namespaces' | 'cgroups')
  | ('capabilities' | 'noNewPrivileges' | 'seccomp' | 'secrets' | 'workspace')
  | ('name' | 'labels')
/** A field of Command that nobody gives the task does not compile. */
const _nothingIsForgotten = {} satisfies Record<Exclude<keyof Command, PlannedField | ScalarField>, true>
