import { Option, type Command } from 'commander'
import type { Executor } from '../../index.ts'
import { invalidArgument } from '../../invalid-argument.ts'
import { changeLines } from '../output/change-lines.ts'
import { leftOut, PatchPrinter } from '../output/patch-printer.ts'
import { print, printJson } from '../output/printing.ts'
import { colorsFor } from '../output/terminal.ts'
import { parseSize } from '../parse/size.ts'
import { parseWorkspacePath } from '../parse/workspace-path.ts'
import { withTask } from '../with-supervisor.ts'
import { carriedOutBy, jsonOption, subcommand, type CommonOptions } from './subcommand.ts'

export function diffCommand(): Command {
  const command = subcommand('diff')
    .summary('list what a task has changed in its overlay, or print it as a patch')
    .description(
      'Lists what a task with --overlay has added (A), changed (M) and deleted (D) in its workspace, or prints it as a patch.',
    )
    .argument('<TASK>')
    .argument('[PATH...]', 'with --patch: these files and directories alone, from the workspace on')
    .option('-p, --patch', 'print what `git apply` and `patch -p1` take')
    .addOption(
      new Option('--max-file <SIZE>', 'with --patch: leave out files that are larger')
        .argParser(text => parseSize('--max-file', text))
        .default(1024 ** 2, '1M'),
    )
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, diff)
}

const more = `
Of a task that runs: as far as it has come. "conflict": it has changed on the host, too, since the task began.
Links are shown with what they say: they may lead out of the workspace.

A patch leads from what is on the host now to what the task has. Of permission bits it has the executable one, of
directories those with files in them. At a terminal what a task has written is shown with its control characters
written out; elsewhere each file is there byte for byte. What a patch cannot hold is named on standard error: binary
files, files larger than --max-file (at most 8M), devices, other permission bits.

Examples:
  holdfast diff web
  holdfast diff --patch web src | less
  holdfast diff --patch web > web.patch && git apply web.patch
  holdfast diff --json web | jq -r '.changes[] | select(.conflict).path'

Exit codes: 0, with changes and without; 1 if the task has no overlay, it cannot be read, or the patch does not hold
all of it.`

type DiffOptions = CommonOptions & { readonly patch?: boolean; readonly maxFile: number }

async function diff(options: DiffOptions, word?: string, ...paths: string[]): Promise<number> {
  const { stateDir, json: asJson, patch = false } = options
  if (asJson && patch) throw invalidArgument('--json', '--patch with it', 'one of both')
  if (!patch && paths.length > 0) throw invalidArgument('PATH', paths[0], 'a path where there is --patch')
  return await withTask({ stateDir }, word, async ({ key, name, task }) => {
    if (patch) return await printPatches(task, paths, options)
    const changes = await task.changes()
    if (asJson) printJson({ task: { key, name }, changes })
    else await print('stdout', changeLines(changes, colorsFor(process.stdout)))
    return 0
  })
}

/** As much as the library compares. */
const largestFile = 8 * 1024 ** 2

async function printPatches(
  task: Executor,
  words: readonly string[],
  { maxFile: maxFileBytes }: DiffOptions,
): Promise<number> {
  if (maxFileBytes < 1 || maxFileBytes > largestFile)
    throw invalidArgument('--max-file', maxFileBytes, 'a size from 1 to 8M')
  const paths = words.map(parseWorkspacePath)
  const printer = new PatchPrinter(process.stdout)
  let isWhole = true
  // The workspace itself: all of it.
  const asked = paths.includes('') ? { maxFileBytes } : { paths, maxFileBytes }
  for await (const each of task.patches(asked)) {
    if (each.patch !== null) await printer.add(each)
    else await print('stderr', `holdfast: ${leftOut(each)}\n`)
    isWhole &&= each.patch !== null
  }
  await printer.end()
  return isWhole ? 0 : 1
}
