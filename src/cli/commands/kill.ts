import type { Command } from 'commander'
import { endTask } from './stop.ts'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function killCommand(): Command {
  const command = subcommand('kill')
    .summary('kill a task now')
    .description('Kills the whole process tree of a task now, without asking it.')
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, (options, word) => endTask(options, word, task => task.forceStop()))
}

const more = `
Returns when nothing of the task is left. \`holdfast stop\` gives it a chance to end by itself.

Example:
  holdfast kill web

Exit codes: 0 if the task has ended, however; 1 if not.`
