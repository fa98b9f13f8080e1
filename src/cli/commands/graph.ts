import { type Command, Option } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function graphCommand(): Command {
  const command = subcommand('graph')
    .summary('print the state chart of a task')
    .description('Prints the state chart that every task goes through, drawn from the very machine.')
    .addOption(
      new Option('--format <FORMAT>', 'mermaid, json (for Stately Studio) or svg').default('mermaid'),
    )
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/graph.ts')).graph)
}

const more = `
Examples:
  holdfast graph
  holdfast graph --format svg > task.svg

Exit codes: 0; 1 for a format that is none.`
