import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function statsCommand(): Command {
  const command = subcommand('stats')
    .summary('show what tasks use')
    .description('Shows once what a task, or every task that runs, uses. What cannot be known is "-".')
    .argument('[TASK]')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/stats.ts')).stats)
}

const more = `
CPU and IO are totals since the start; THROTTLED is the time a --cpus limit held the task back.

Examples:
  holdfast stats
  holdfast stats --json web | jq '.tasks[0].memoryBytes'

Exit codes: 0; 1 if there is no such task or it does not run.`
