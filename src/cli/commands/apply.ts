import type { Command } from 'commander'
import type { Change } from '../../index.ts'
import { changeLines } from '../output/change-lines.ts'
import { print, printJson } from '../output/printing.ts'
import { colorsFor } from '../output/terminal.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function applyCommand(): Command {
  const command = subcommand('apply')
    .summary('put what a task has changed in its overlay in place')
    .description(
      'Puts the changes of a task with --overlay in place in its workspace. The task must have ended.',
    )
    .argument('<TASK>')
    .option('-f, --force', 'overwrite what has changed on the host meanwhile')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, apply)
}

const more = `
If one of the entries has changed on the host since the task began, nothing is put in place without --force. Devices,
FIFOs, sockets and set-user-ID bits are never put in place. Prints what was put in place, as \`holdfast diff\` does.

Examples:
  holdfast apply web
  holdfast apply --force web

Exit codes: 0; 1 if the task runs or has no overlay, if there is a conflict, or if something could not be written.`

type ApplyOptions = CommonOptions & { readonly force?: boolean }

async function apply(
  { stateDir, json: asJson, force = false }: ApplyOptions,
  word?: string,
): Promise<number> {
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const changes = await task.apply({ force })
    if (asJson) printJson({ task: { key, name }, changes })
    else await print('stdout', changeLines(changes.map(asPlaced), colorsFor(process.stdout)))
    return 0
  })
}

/** By now it is what the task has made of it. */
function asPlaced(change: Change): Change {
  return { ...change, conflict: false }
}
