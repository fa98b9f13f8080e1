import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function topCommand(): Command {
  const command = subcommand('top')
    .summary('watch what tasks use')
    .description(
      'Shows what every task that runs uses, again and again. Once, where the output is not a terminal; with --json, a line each second.',
    )
    .option('--json', 'print one JSON document a line, each second, and nothing else')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/top.ts')).top)
}

const more = `
Keys: c sorts by CPU, m by memory, p by processes, n by name; up, down, the page keys, Home and End move; q ends it.

Examples:
  holdfast top
  holdfast top --json | jq -c '.tasks[] | [.task.name, .memoryBytes]'

Exit codes: 0; 1 if the state directory could not be read.`
