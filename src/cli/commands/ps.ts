import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function psCommand(): Command {
  const command = subcommand('ps')
    .summary('list tasks')
    .description('Lists the tasks that run.')
    .option('-a, --all', 'those that have ended, too')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/ps.ts')).ps)
}

const more = `
Examples:
  holdfast ps
  holdfast ps --all --json | jq -r '.tasks[] | select(.cause == "oom") | .name'

Exit codes: 0; 1 if the state directory could not be read.`
