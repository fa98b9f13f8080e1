import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function inspectCommand(): Command {
  const command = subcommand('inspect')
    .summary('watch and stop tasks in a browser')
    .description(
      'Serves a web page on the loopback address that shows all tasks live, until it is interrupted. The tasks do not depend on it.',
    )
    .option('--port <PORT>', 'the port; 0 for a free one', '0')
    .option('--host <ADDRESS>', 'the loopback address', '127.0.0.1')
    .option('--show-arguments', 'show the arguments of programs, too; they may hold secrets')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/inspect.ts')).inspect)
}

const more = `
Examples:
  holdfast inspect
  holdfast inspect --port 7000

The address that is printed ends with a token: whoever has it can stop tasks. From another machine, come through a tunnel:
  ssh -L 7000:127.0.0.1:7000 HOST holdfast inspect --port 7000
Prometheus reads /metrics with a token of its own, the value of HOLDFAST_METRICS_TOKEN (16 characters or more) or a random one.

Exit codes: 0; 1 if the port could not be had or the state directory not be read.`
