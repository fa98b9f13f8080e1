import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function logsCommand(): Command {
  const command = subcommand('logs')
    .summary('print the output of a task')
    .description(
      'Prints what a task has written, byte for byte: both its streams in the order in which they came, standard error on standard error.',
    )
    .argument('<TASK>')
    .option('-f, --follow', 'go on until it has ended')
    .option('--stdout', 'its standard output only')
    .option('--stderr', 'its standard error only, on standard output')
    .option('-t, --timestamps', 'the time before each line')
    .option('--since <TIME>', 'only what came at this time or later: 10m (ago), or 2026-01-31T12:00:00Z')
    .option('-n, --tail <COUNT>', 'begin with the last COUNT lines')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/logs.ts')).logs)
}

const more = `
Examples:
  holdfast logs --tail 20 web
  holdfast logs -f --stderr web | grep -i error
  holdfast logs --timestamps --since 10m web

Exit codes: 0; 1 if there is no such task or its log could not be read.`
