import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function logsCommand(): Command {
  const command = subcommand('logs')
    .summary('print what a task has printed')
    .description('Prints what a task has written to its standard output, byte for byte.')
    .argument('<TASK>')
    .option('-f, --follow', 'go on until it has ended')
    .option('--stderr', 'its standard error instead')
    .option('-n, --tail <COUNT>', 'begin with the last COUNT lines')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/logs.ts')).logs)
}

const more = `
Examples:
  holdfast logs --tail 20 web
  holdfast logs -f --stderr web | grep -i error

Exit codes: 0; 1 if there is no such task or its log could not be read.`
