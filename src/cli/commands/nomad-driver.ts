import type { Command } from 'commander'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function nomadDriverCommand(): Command {
  const command = subcommand('nomad-driver')
    .summary('serve a Nomad agent as a task driver')
    .description(
      'Is a task driver plugin of HashiCorp Nomad: jobs with `driver = "holdfast"` then run with the limits and the isolation of holdfast. The agent starts it; run by hand, only --install is useful.',
    )
    .option('--install <PLUGIN_DIR>', 'write the file that the agent starts into its plugin_dir')
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/nomad-driver.ts')).nomadDriver)
}

const more = `
Examples:
  holdfast nomad-driver --install /opt/nomad/plugins

The agent's configuration then needs plugin_dir, and a block: plugin "holdfast" { config { } }.

Exit codes: 0 when the agent has ended it in order; 1 if nobody who speaks the protocol has started it.`
