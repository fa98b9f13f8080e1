import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function rmCommand(): Command {
  const command = subcommand('rm')
    .summary('remove what is kept of a task')
    .description('Removes the records, logs and directories of a task that has ended.')
    .argument('<TASK>')
    .option('-f, --force', 'kill it first if it runs')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/rm.ts')).rm)
}

const more = `
Examples:
  holdfast rm web
  holdfast rm --force web

Exit codes: 0; 1 if the task runs, or could not be removed.`
