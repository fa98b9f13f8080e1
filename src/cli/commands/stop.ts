import type { Command } from 'commander'
import type { Executor, ShutdownOptions, WaitResult } from '../../index.ts'
import { ChoiceOption } from '../flags/choice-option.ts'
import { endingText } from '../output/ending.ts'
import { escaped } from '../output/escape.ts'
import { printJson } from '../output/printing.ts'
import { resultDocument } from '../output/result-document.ts'
import { parseDuration } from '../parse/duration.ts'
import { oneOf } from '../parse/one-of.ts'
import { parseSignal } from '../parse/signal.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function stopCommand(): Command {
  const command = subcommand('stop')
    .summary('stop a task: ask first, then kill')
    .description('Asks a task to end, and kills its whole process tree when it has not after the grace time.')
    .argument('<TASK>')
    .option('--signal <NAME>', 'the signal it gets first: a name, a number or RTMIN+N (default: TERM)')
    .option('--grace <TIME>', 'how long it has (default: 5s)')
    .addOption(
      new ChoiceOption(
        '--target <WHO>',
        'who gets that signal: group, its process group (the default), or leader, its program alone',
        parseTarget.words,
      ),
    )
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, stop)
}

const more = `
Returns when nothing of the task is left. Stopping a task that has ended is no error.

Examples:
  holdfast stop web
  holdfast stop --signal INT --grace 30s web

Exit codes: 0 if the task has ended, however; 1 if not.`

const parseTarget = oneOf('group', 'leader')

type StopOptions = CommonOptions & {
  readonly signal?: string
  readonly grace?: string
  readonly target?: string
}

async function stop({ signal, grace, target, ...options }: StopOptions, word?: string): Promise<number> {
  const shutdown: ShutdownOptions = {
    ...(signal !== undefined && { signal: parseSignal('--signal', signal) }),
    ...(grace !== undefined && { graceMs: parseDuration('--grace', grace) }),
    ...(target !== undefined && { target: parseTarget('--target', target) }),
  }
  return await endTask(options, word, task => task.shutdown(shutdown))
}

/** Ends a task in a `way`, and says how it ended. */
export async function endTask(
  { stateDir, json: asJson }: CommonOptions,
  word: string | undefined,
  way: (task: Executor) => Promise<WaitResult>,
): Promise<number> {
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const before = task.state === 'exited' ? 'had ended before: ' : ''
    const result = await way(task)
    if (asJson) printJson(resultDocument({ key, name, id: task.id() }, result, task.enforcement))
    else process.stdout.write(`${escaped(name)} [${key}] ${before}${endingText(result)}\n`)
    return 0
  })
}
