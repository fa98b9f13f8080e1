import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function killCommand(): Command {
  const command = subcommand('kill')
    .summary('kill a task now')
    .description('Kills the whole process tree of a task now, without asking it.')
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/stop.ts')).kill)
}

const more = `
Returns when nothing of the task is left. \`holdfast stop\` gives it a chance to end by itself.

Example:
  holdfast kill web

Exit codes: 0 if the task has ended, however; 1 if not.`
