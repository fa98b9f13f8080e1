import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function waitCommand(): Command {
  const command = subcommand('wait', 'task')
    .summary('wait for a task and exit as it does')
    .description('Waits until a task has ended, and exits as it did. Answers at once for one that has.')
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/wait.ts')).wait)
}

const more = `
Examples:
  key=$(holdfast run --detach -- sleep 10); holdfast wait $key
  holdfast wait --json web | jq .cause

Exit codes: the task's own; 128+n if signal n ended it; 126 or 127 if its program could not be executed or found;
125 if holdfast failed, or nobody knows how the task ended.`
