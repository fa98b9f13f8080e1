import { type Executor, HoldfastError, type Supervisor, setCommand } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { exitCodeOf } from '../exit-code.ts'
import { json } from '../output/escape.ts'
import { resultBlock, shortfalls } from '../output/result-block.ts'
import { resultDocument } from '../output/result-document.ts'
import { colorsFor } from '../output/terminal.ts'
import { namingFlags } from '../parse/flag-names.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { attend } from './attend.ts'
import { commandOf, resourcesOf, type TaskOptions } from './task-options.ts'

export type RunOptions = CommonOptions &
  TaskOptions & {
    readonly name?: string
    readonly detach?: boolean
    readonly rm?: boolean
    readonly basic?: boolean
    readonly strict?: boolean
    readonly quiet?: boolean
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
  const { stateDir, strict = false } = options
  return await withSupervisor({ stateDir, strict }, async supervisor => {
    const task = await prepared(supervisor, operands, options)
    return options.detach ? await detached(task, options) : await attached(task, options)
  })
}

type PreparedTask = Awaited<ReturnType<typeof prepared>>

async function prepared(
  supervisor: Supervisor,
  [program = '', ...args]: readonly string[],
  options: RunOptions,
) {
  const task = options.basic ? supervisor.executor('basic') : supervisor.executor()
  Object.assign(task.command, commandOf(options))
  await namingFlags(async () => {
    setCommand(task, program, args)
    const resources = resourcesOf(options)
    if (resources !== null) await task.limit(resources)
  })
  if (options.name !== undefined) task.named(options.name)
  return task
}

async function detached(task: PreparedTask, { json: asJson, quiet }: RunOptions): Promise<number> {
  await started(task)
  const { key, name, state, enforcement } = task
  if (asJson) process.stdout.write(`${json({ task: { key, name }, id: task.id(), state, enforcement })}\n`)
  else {
    process.stdout.write(`${key}\n`)
    if (!quiet) process.stderr.write(shortfalls(enforcement, colorsFor(process.stderr)))
  }
  return 0
}

async function attached(task: PreparedTask, { json: asJson, quiet, rm }: RunOptions): Promise<number> {
  const result = await attend(task, () => started(task), { printing: !asJson })
  const { key, name, enforcement } = task
  const id = task.id()
  if (rm) await task.destroy()
  if (asJson) process.stdout.write(`${json(resultDocument({ key, name, id }, result, enforcement))}\n`)
  else if (!quiet)
    process.stderr.write(resultBlock({ key, name, result, enforcement }, colorsFor(process.stderr)))
  return exitCodeOf(result)
}

/** A task that could not be started leaves nothing worth keeping: the error says it all. */
async function started(task: Executor): Promise<void> {
  try {
    await namingFlags(() => task.start())
  } catch (error) {
    // What failed first is what is to be told.
    await task.destroy().catch(() => {})
    throw error
  }
}
