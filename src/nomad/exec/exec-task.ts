import { lastValueFrom, toArray } from 'rxjs'
import type { Executor } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import type { PluginState } from '../plugin-state.ts'
import { exitResult } from '../tasks/exit-result.ts'
import type { ExecRequest } from '../wire/task-messages.ts'
import { milliseconds } from '../wire/time.ts'

/** Of each stream: more than anybody reads. The agent looks at checks' output for people. */
const keptOutput = { maxBytes: 65_536, maxFiles: 2 }

/**
 * A command in a task to its end: health checks by script. One that takes longer than it may is killed, and
 * says so by its result. `stdout` is both streams, as they came, and so it is with Nomad's own drivers: the
 * agent shows nothing else of a check.
 */
export async function exec({ table }: PluginState, request: ExecRequest): Promise<object> {
  const { executor: task } = await table.get(request.task_id)
  const command = commandIn(task, request.command)
  command.command.logs = keptOutput
  const timeoutMs = Math.round(milliseconds(request.timeout) ?? 0)
  if (timeoutMs > 0) await command.limit({ wallTimeMs: timeoutMs })
  try {
    await command.start()
    const result = await command.wait()
    return { stdout: await outputOf(command), result: exitResult(result) }
  } finally {
    await command.destroy()
  }
}

/** Throws INVALID_ARGUMENT for no command at all. */
export function commandIn(task: Executor, [program, ...args]: readonly string[]): Executor {
  if (program === undefined || program === '')
    throw invalidArgument('command', program ?? null, 'a program and its arguments')
  return task.exec(program, ...args)
}

/** The last part, where it is more than is kept. */
async function outputOf(command: Executor): Promise<Buffer> {
  const chunks = await lastValueFrom(command.output$().pipe(toArray()))
  return Buffer.concat(chunks.map(({ bytes }) => bytes))
}
