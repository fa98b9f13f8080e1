import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function stopCommand(): Command {
  const command = subcommand('stop')
    .summary('stop a task: ask first, then kill')
    .description('Asks a task to end, and kills its whole process tree when it has not after the grace time.')
    .argument('<TASK>')
    .option('--signal <NAME>', 'the signal it gets first: a name, a number or RTMIN+N (default: TERM)')
    .option('--grace <TIME>', 'how long it has (default: 5s)')
    .option(
      '--target <WHO>',
      'who gets that signal: group, its process group (the default), or leader, its program alone',
    )
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/stop.ts')).stop)
}

const more = `
Returns when nothing of the task is left. Stopping a task that has ended is no error.

Examples:
  holdfast stop web
  holdfast stop --signal INT --grace 30s web

Exit codes: 0 if the task has ended, however; 1 if not.`
