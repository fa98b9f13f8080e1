import type { Command } from 'commander'
import { exitCodeOf } from '../exit-code.ts'
import { errorText } from '../output/error-report.ts'
import { printJson } from '../output/printing.ts'
import { resultDocument } from '../output/result-document.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function waitCommand(): Command {
  const command = subcommand('wait', 'task')
    .summary('wait for a task and exit as it does')
    .description('Waits until a task has ended, and exits as it did. Answers at once for one that has.')
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, wait)
}

const more = `
Examples:
  key=$(holdfast run --detach -- sleep 10); holdfast wait $key
  holdfast wait --json web | jq .cause

Exit codes: the task's own; 128+n if signal n ended it; 126 or 127 if its program could not be executed or found;
125 if holdfast failed, or nobody knows how the task ended.`

async function wait({ stateDir, json: asJson }: CommonOptions, word?: string): Promise<number> {
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const result = await task.wait()
    if (asJson) printJson(resultDocument({ key, name, id: task.id() }, result, task.enforcement))
    else if (result.error !== null) process.stderr.write(errorText(result.error))
    return exitCodeOf(result)
  })
}
