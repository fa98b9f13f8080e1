import type { Command } from 'commander'
import { carriedOutBy, jsonOption, subcommand } from './subcommand.ts'

export function updateCommand(): Command {
  const command = subcommand('update')
    .summary('change the limits of a running task')
    .description('Gives a running task other limits. Those that are not named stay as they are.')
    .argument('<TASK>')
    .optionsGroup('Limits:')
    .option('--cpu <SHARES>', 'weight among the tasks that want the processor, 2 or more')
    .option('--cpus <CORES>', 'most processor time; 0.5 is half a core')
    .option('--cpuset <LIST>', 'the processors it may use, such as 0-1,3')
    .option('--memory <SIZE>', 'most memory; refused where it uses more than that already')
    .option('--pids <COUNT>', 'most processes and threads; those there are stay')
    .option('--max-output <SIZE>', 'stop it when it has printed more than this; at once if it has')
    .option('--timeout <TIME>', 'stop it this time after its start; at once if that has passed')
    .optionsGroup('Options:')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, async () => (await import('../actions/update.ts')).update)
}

const more = `
Either all limits are changed, or none where the kernel refuses one.

Examples:
  holdfast update --memory 512M web
  holdfast update web --cpus 2 --pids 200

Exit codes: 0 if all of it is enforced; 2 if not all of it is; 1 if nothing was changed.`
