import type { InspectionEvent, Observer } from 'xstate'
import * as z from 'zod/mini'
import { isFaithful } from '../command/faithful.ts'
import type { Resources, ShutdownOptions } from '../api.ts'
import { lazily } from '../lazily.ts'
import { absolute } from '../working-directory.ts'
import { invalidArgument } from '../invalid-argument.ts'
import { parseResources } from '../command/validate.ts'
import { defaultRange, type OwnUserRange } from '../task/own-users/own-users.ts'
import { graceMilliseconds, signalNumber } from '../task/signals.ts'
import type { PruneOptions, Retention } from './retention.ts'
import { defaultStateDir } from './state-dir.ts'

export type Orphans = 'keep' | 'kill'

export interface SupervisorOptions {
  /**
   * Where tasks are recorded. Default: `HOLDFAST_STATE_DIR`, `/var/lib/holdfast` as root, else
   * `$XDG_STATE_HOME/holdfast`.
   */
  stateDir?: string
  /** How tasks are stopped unless the call says otherwise. Default SIGTERM, 5000 ms, the process group. */
  shutdown?: ShutdownOptions
  /** Refuse to start a task rather than weaken a limit or isolation. Default false. */
  strict?: boolean
  /**
   * What becomes of the tasks it has started when the supervisor ends, by whatever cause: SIGKILL, or
   * close(). Default `keep`: they go on. With `kill` their shims kill them at once, cause `forced`. Tasks it
   * has taken over from another stay as that one wanted them.
   */
  orphans?: Orphans
  /**
   * Which failures an exit record survives: of the host (default), or of processes only, which saves a flush
   * to disk per task.
   */
  durability?: 'host' | 'process'
  /**
   * Limits of tasks that do not name the field; of `rlimits` each by itself. Not of what exec() starts, which
   * has its task's. Default: none.
   */
  defaults?: Resources
  /**
   * The user of tasks that name none (nor a group): `'own'`, as `command.user` has it. Tasks that cannot have
   * one are not started. Default: nobody, where tasks are isolated.
   */
  user?: 'own'
  /**
   * Of which numbers `user: 'own'` are: `first` (1 to 2147483647; default 1879048192) and so many (`count`, 1
   * to 1048576; default 65536). Who has which is written down in `registry`, a directory of root's (default
   * `/var/lib/holdfast-users`): supervisors that share numbers must share it.
   */
  ownUsers?: { first?: number; count?: number; registry?: string }
  /**
   * Which ended tasks stay recorded, of those it has started and those it has opened: openAll() at its start
   * has it look after what its earlier lives have left. Beyond that they are destroyed, with their logs and
   * directories, whenever the supervisor opens tasks or one of its tasks ends, also when its start failed;
   * wait() of an executor that is still held answers all the same. Default: nothing is removed.
   */
  keep?: Retention
  /** XState's own inspection, passed to every task's actor. */
  inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void)
}

export type Settings = {
  readonly stateDir: string
  readonly shutdown: Required<ShutdownOptions>
  readonly strict: boolean
  readonly orphans: Orphans
  readonly durable: boolean
  readonly defaults: Resources | null
  readonly user: 'own' | null
  readonly ownUsers: OwnUserRange
  /** Null: nothing is removed. */
  readonly keep: Retention | null
  readonly inspect: SupervisorOptions['inspect']
}

const retentionShape = lazily(() =>
  z.strictObject({
    count: z.optional(z.int().check(z.minimum(0))),
    ageMs: z.optional(z.number().check(z.minimum(0))),
  }),
)

const pruneShape = lazily(() => z.extend(retentionShape(), { dryRun: z.optional(z.boolean()) }))

const shape = lazily(() =>
  z.strictObject({
    stateDir: z.optional(z.string().check(z.minLength(1), z.refine(isFaithful))),
    shutdown: z.optional(
      z.partial(
        z.strictObject({ signal: z.string(), graceMs: z.number(), target: z.enum(['group', 'leader']) }),
      ),
    ),
    strict: z.optional(z.boolean()),
    orphans: z.optional(z.enum(['keep', 'kill'])),
    durability: z.optional(z.enum(['host', 'process'])),
    defaults: z.optional(z.unknown()),
    user: z.optional(z.literal('own')),
    ownUsers: z.optional(
      z.strictObject({
        first: z.optional(z.int().check(z.minimum(1), z.maximum(2 ** 31 - 1))),
        count: z.optional(z.int().check(z.minimum(1), z.maximum(1_048_576))),
        registry: z.optional(z.string().check(z.minLength(1), z.refine(isFaithful))),
      }),
    ),
    keep: z.optional(retentionShape()),
    inspect: z.optional(z.unknown()),
  }),
)

type Option = keyof SupervisorOptions

const takesRetention = 'an object with count (a whole number, 0 or more) and ageMs (milliseconds, 0 or more)'

const takes: Record<Option, string> = {
  stateDir: 'the path of a directory',
  shutdown: 'an object with signal, graceMs and target ("group" or "leader")',
  strict: 'true or false',
  orphans: '"keep" or "kill"',
  durability: '"host" or "process"',
  defaults: 'an object of limits',
  user: '"own"',
  ownUsers:
    'an object with first (1 to 2147483647), count (1 to 1048576) and registry (the path of a directory)',
  keep: takesRetention,
  inspect: 'an observer or a function',
}

/** Throws INVALID_ARGUMENT naming the option. */
export function parseOptions(options: SupervisorOptions): Settings {
  const issue = shape().safeParse(options).error?.issues[0]
  if (issue !== undefined) {
    const [name] = issue.path
    const known = typeof name === 'string' && Object.hasOwn(takes, name)
    if (!known)
      throw invalidArgument('supervisor options', options, `an object with ${Object.keys(takes).join(', ')}`)
    throw invalidArgument(`supervisor option ${name}`, options[name as Option], takes[name as Option])
  }
  const { signal = 'SIGTERM', graceMs = 5000, target = 'group' } = options.shutdown ?? {}
  signalNumber(signal, 'shutdown.signal')
  return {
    stateDir: options.stateDir === undefined ? defaultStateDir() : absolute(options.stateDir, 'stateDir'),
    shutdown: { signal, graceMs: graceMilliseconds(graceMs, 'shutdown.graceMs'), target },
    strict: options.strict ?? false,
    orphans: options.orphans ?? 'keep',
    durable: options.durability !== 'process',
    defaults: options.defaults === undefined ? null : parseResources(options.defaults, 'defaults'),
    user: options.user ?? null,
    ownUsers: rangeOf(options.ownUsers ?? {}),
    keep: boundsOf(options.keep),
    inspect: options.inspect,
  }
}

function rangeOf({ first, count, registry }: NonNullable<SupervisorOptions['ownUsers']>): OwnUserRange {
  return {
    first: first ?? defaultRange.first,
    count: count ?? defaultRange.count,
    registry: registry === undefined ? defaultRange.registry : absolute(registry, 'ownUsers.registry'),
  }
}

/** What prune() was called with. Throws INVALID_ARGUMENT. */
export function parsePrune(options: PruneOptions): PruneOptions {
  if (pruneShape().safeParse(options).success) return options
  throw invalidArgument('prune: options', options, `${takesRetention}, and dryRun (true or false)`)
}

function boundsOf(keep: Retention | undefined): Retention | null {
  return keep === undefined || (keep.count === undefined && keep.ageMs === undefined) ? null : keep
}
