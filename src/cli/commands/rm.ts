import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function rmCommand(): Command {
  const command = subcommand('rm')
    .summary('remove the records of ended tasks')
    .description('Removes the records, logs and directories of tasks that have ended.')
    .argument('[TASK...]')
    .option('-f, --force', 'kill those that run first')
    .option('--ended', 'all that have ended')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/rm.ts')).rm)
}

const more = `
Each TASK is tried, whatever becomes of the others. Prints the keys of what it has removed.

Examples:
  holdfast rm web
  holdfast rm --force web worker-1 worker-2
  holdfast rm --ended

Exit codes: 0; 1 if one of them runs, or could not be removed.`
