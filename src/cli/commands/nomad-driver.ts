import type { Command } from 'commander'
import { realpathSync } from 'node:fs'
import { fileRefused } from '../file-refused.ts'
import { whenOutputFails } from '../output/hang-up.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function nomadDriverCommand(): Command {
  const command = subcommand('nomad-driver')
    .summary('serve a Nomad agent as a task driver')
    .description(
      'Is a task driver plugin of HashiCorp Nomad: jobs with `driver = "holdfast"` then run with the limits and the isolation of holdfast. The agent starts it; run by hand, only --install is useful.',
    )
    .option('--install <PLUGIN_DIR>', 'write the file that the agent starts into its plugin_dir')
    .addHelpText('after', more)
  return carriedOutBy(command, nomadDriver)
}

const more = `
Examples:
  holdfast nomad-driver --install /opt/nomad/plugins

The agent's configuration then needs plugin_dir, and a block: plugin "holdfast" { config { } }.

Exit codes: 0 when the agent has ended it in order; 1 if nobody who speaks the protocol has started it.`

type Options = CommonOptions & { readonly install?: string }

/** Resolves when the agent is served; the process lives until the agent ends it. */
async function nomadDriver({ install }: Options): Promise<number> {
  const { serveNomad } = await import('../../nomad/index.ts')
  if (install !== undefined) {
    process.stdout.write(`${await installed(install)}\n`)
    return 0
  }
  // An agent that was killed leaves its plugins, and the next one finds them again.
  whenOutputFails(failure => {
    if (failure !== null) process.exit(125)
  })
  const refused = await serveNomad()
  if (refused === null) return 0
  process.stderr.write(`holdfast: ${refused}\n`)
  return 1
}

async function installed(directory: string): Promise<string> {
  const { installPlugin } = await import('../../nomad/index.ts')
  const main = realpathSync(process.argv[1] ?? '')
  try {
    return installPlugin(directory, [process.execPath, ...process.execArgv, main])
  } catch (error) {
    throw fileRefused('--install', directory, 'written', error)
  }
}
