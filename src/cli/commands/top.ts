import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function topCommand(): Command {
  const command = subcommand('top')
    .summary('watch what tasks use')
    .description(
      'Shows what every task that runs uses, again and again. Where the output is no terminal, once.',
    )
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/top.ts')).top)
}

const more = `
Keys: c sorts by CPU, m by memory, p by processes, n by name; up, down, the page keys, Home and End move; q ends it.

Example:
  holdfast top

Exit codes: 0; 1 if the state directory could not be read.`
