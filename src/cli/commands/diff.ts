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
    .argument('[PATH...]', 'with --patch: only these files and directories, relative to the workspace')
    .option('-p, --patch', 'print what `git apply` and `patch -p1` take')
    .addOption(
      new Option('--max-file <SIZE>', 'with --patch: leave out files that are larger')
        .argParser(parseMaxFile)
        .default(1024 ** 2, '1M'),
    )
    .addOption(jsonOption())
    .addHelpText('after', more)
  return carriedOutBy(command, diff)
}

const more = `
A running task shows its changes so far. "conflict": the entry has changed on the host, too, since the task began.
Links are shown with their targets, which may lie outside the workspace.

A patch leads from the host's files, as they are now, to the task's. It holds the executable bit and no other
permissions, and no empty directories. A terminal gets control characters escaped; a file or a pipe gets each file
byte for byte. Standard error names what the patch leaves out: binary files, files larger than --max-file (at most
8M), devices, other permission bits.

Examples:
  holdfast diff web
  holdfast diff --patch web src | less
  holdfast diff --patch web > web.patch && git apply web.patch
  holdfast diff --json web | jq -r '.changes[] | select(.conflict).path'

Exit codes: 0, with changes or without; 1 if the task has no overlay, if it cannot be read, or if the patch leaves
something out.`

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

function parseMaxFile(text: string): number {
  const bytes = parseSize('--max-file', text)
  if (bytes >= 1 && bytes <= largestFile) return bytes
  throw invalidArgument('--max-file', bytes, 'a size from 1 to 8M')
}

async function printPatches(
  task: Executor,
  words: readonly string[],
  { maxFile: maxFileBytes }: DiffOptions,
): Promise<number> {
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
