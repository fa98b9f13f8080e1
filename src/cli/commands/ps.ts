import type { Command } from 'commander'
import { append, carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function psCommand(): Command {
  const command = subcommand('ps')
    .summary('list tasks')
    .description('Lists the tasks that run.')
    .option('-a, --all', 'those that have ended, too')
    .option(
      '--filter <FIELD=VALUE>',
      'only those with label=NAME[=VALUE], state=STATE or name=NAME; several of one field: any of them; of different fields: all of them (repeatable)',
      append,
    )
    .option('-q, --quiet', 'their keys alone, one a line')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/ps.ts')).ps)
}

const more = `
Examples:
  holdfast ps
  holdfast ps --filter label=app=web --filter state=running
  holdfast ps -q --filter label=app=web | xargs -n 1 holdfast stop
  holdfast ps --all --json | jq -r '.tasks[] | select(.cause == "oom") | .name'

Exit codes: 0; 1 if the state directory could not be read.`
