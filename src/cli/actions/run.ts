import { HoldfastError, type Supervisor, setCommand } from '../../index.ts'
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
  }

export async function run(operands: readonly string[], options: RunOptions): Promise<number> {
  if (options.detach && options.rm) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      '--rm cannot go with --detach: nobody stays to remove the task',
      {
        hint: 'Remove it with `holdfast rm TASK` when it has ended.',
      },
    )
  }
  if (options.detach && options.result !== undefined) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      '--result cannot go with --detach: nobody stays for the result',
      {
        hint: '`holdfast wait --json TASK` prints it when it has ended.',
      },
    )
  }
  if (options.detach && options.interactive) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      '--interactive cannot go with --detach: nobody stays to feed the task',
    )
  }
  const { stateDir, strict = false } = options
  return await withSupervisor({ stateDir, strict }, async supervisor => {
    const task = await prepared(supervisor, operands, options)
    return options.detach ? await detached(task, options) : await attached(task, options)
  })
}

/** What no one would miss before a fork bomb: a host has some tens of thousands of pids for everybody. */
const cliDefaults = { pids: 4096 }

async function prepared(
  supervisor: Supervisor,
  [program = '', ...args]: readonly string[],
  options: RunOptions,
) {
  const task = options.basic
    ? supervisor.executor('basic')
    : supervisor.executor(undefined, options.pids === 'max' ? {} : { preferred: cliDefaults })
  Object.assign(task.command, commandOf(options))
  await namingFlags(async () => {
    setCommand(task, program, args)
    const resources = resourcesOf(options)
    if (resources !== null) await task.limit(resources)
  })
  if (options.name !== undefined) task.named(options.name)
  return task
}
