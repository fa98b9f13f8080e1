import type { Command } from 'commander'
import { changeLines } from '../output/change-lines.ts'
import { print, printJson } from '../output/printing.ts'
import { colorsFor } from '../output/terminal.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function diffCommand(): Command {
  const command = subcommand('diff')
    .summary('list what a task has changed in its overlay')
    .description(
      'Lists what a task with --overlay has added (A), changed (M) and deleted (D) in its workspace.',
    )
    .argument('<TASK>')
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, diff)
}

const more = `
Of a task that runs: as far as it has come. "conflict": it has changed on the host, too, since the task began.
Links are shown with what they say: they may lead out of the workspace.

Examples:
  holdfast diff web
  holdfast diff --json web | jq -r '.changes[] | select(.conflict).path'

Exit codes: 0, with changes and without; 1 if the task has no overlay, or it cannot be read.`

async function diff({ stateDir, json: asJson }: CommonOptions, word?: string): Promise<number> {
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    const changes = await task.changes()
    if (asJson) printJson({ task: { key, name }, changes })
    else await print('stdout', changeLines(changes, colorsFor(process.stdout)))
    return 0
  })
}
