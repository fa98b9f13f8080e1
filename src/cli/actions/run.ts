import { HoldfastError, type Supervisor, setCommand, untrusted } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { namingFlags } from '../parse/flag-names.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { attached, detached, type Presentation } from './presentation.ts'
import { commandOf, resourcesOf, type TaskOptions } from './task-options.ts'

export type RunOptions = CommonOptions &
  TaskOptions &
  Presentation & {
    readonly name?: string
    readonly detach?: boolean
    readonly basic?: boolean
    readonly strict?: boolean
    readonly untrusted?: boolean
  }

export async function run(operands: readonly string[], options: RunOptions): Promise<number> {
  refuseContradictions(options)
  const { stateDir } = options
  return await withSupervisor({ stateDir }, async supervisor => {
    const task = await prepared(supervisor, operands, options)
    return options.detach
      ? await detached(task, options)
      : await attached(task, { ...options, isolated: !options.basic && process.platform === 'linux' })
  })
}

/** Flags that cannot go together: the two, why, and what to do instead. */
const contradictions: readonly (readonly [keyof RunOptions, keyof RunOptions, string, string?])[] = [
  ['rm', 'detach', 'nobody stays to remove the task', 'Remove it with `holdfast rm TASK` when it has ended.'],
  [
    'result',
    'detach',
    'nobody stays for the result',
    '`holdfast wait --json TASK` prints it when it has ended.',
  ],
  ['interactive', 'detach', 'nobody stays to feed the task'],
  ['untrusted', 'basic', 'the Basic executor isolates nothing'],
]

function refuseContradictions(options: RunOptions): void {
  for (const [one, other, reason, hint] of contradictions)
    if (options[one] !== undefined && options[other] !== undefined)
      throw new HoldfastError('INVALID_ARGUMENT', `--${one} cannot go with --${other}: ${reason}`, { hint })
}

/** What no one would miss before a fork bomb: a host has some tens of thousands of pids for everybody. */
const cliDefaults = { pids: 4096 }

async function prepared(
  supervisor: Supervisor,
  [program = '', ...args]: readonly string[],
  options: RunOptions,
) {
  const asked = { command: commandOf(options), resources: resourcesOf(options) }
  const { command, resources } = options.untrusted ? untrusted(asked.command, asked.resources ?? {}) : asked
  const task = supervisor.executor(options.basic ? 'basic' : undefined, {
    strict: options.strict ?? options.untrusted ?? false,
    ...(!options.basic && options.pids !== 'max' && { preferred: cliDefaults }),
  })
  Object.assign(task.command, command)
  await namingFlags(async () => {
    setCommand(task, program, args)
    if (resources !== null) await task.limit(resources)
  })
  if (options.name !== undefined) task.named(options.name)
  return task
}
