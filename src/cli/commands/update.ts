import type { Command } from 'commander'
import { takeFlags } from '../flags/options.ts'
import { carriedOutBy, subcommand } from './subcommand.ts'

export function updateCommand(): Command {
  const command = subcommand('update')
    .summary('change the limits of a running task')
    .description('Gives a running task other limits. Those that are not named stay as they are.')
    .argument('<TASK>')
    .addHelpText('after', more)
  takeFlags(command, 'update')
  return carriedOutBy(command, async () => (await import('../actions/update.ts')).update)
}

const more = `
Either all limits are changed, or none where the kernel refuses one.

Examples:
  holdfast update --memory 512M web
  holdfast update web --cpus 2 --pids 200

Exit codes: 0 if all of it is enforced; 2 if not all of it is; 1 if nothing was changed.`
