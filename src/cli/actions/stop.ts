import type { Executor, ShutdownOptions, WaitResult } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { endingText } from '../output/ending.ts'
import { escaped, json } from '../output/escape.ts'
import { resultDocument } from '../output/result-document.ts'
import { parseDuration } from '../parse/duration.ts'
import { oneOf } from '../parse/one-of.ts'
import { parseSignal } from '../parse/signal.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type StopOptions = CommonOptions & {
  readonly signal?: string
  readonly grace?: string
  readonly target?: string
}

export async function stop(
  operands: readonly string[],
  { signal, grace, target, ...options }: StopOptions,
): Promise<number> {
  const shutdown: ShutdownOptions = {
    ...(signal !== undefined && { signal: parseSignal('--signal', signal) }),
    ...(grace !== undefined && { graceMs: parseDuration('--grace', grace) }),
    ...(target !== undefined && { target: oneOf('group', 'leader')('--target', target) }),
  }
  return await end(operands, options, task => task.shutdown(shutdown))
}

export async function kill(operands: readonly string[], options: CommonOptions): Promise<number> {
  return await end(operands, options, task => task.forceStop())
}

async function end(
  [word = '']: readonly string[],
  { stateDir, json: asJson }: CommonOptions,
  way: (task: Executor) => Promise<WaitResult>,
): Promise<number> {
  return await withSupervisor({ stateDir }, async supervisor => {
    const { key, name, task } = await findTask(supervisor, word)
    const before = task.state === 'exited' ? 'had ended before: ' : ''
    const result = await way(task)
    const document = asJson && json(resultDocument({ key, name, id: task.id() }, result, task.enforcement))
    process.stdout.write(
      document ? `${document}\n` : `${escaped(name)} [${key}] ${before}${endingText(result)}\n`,
    )
    return 0
  })
}
