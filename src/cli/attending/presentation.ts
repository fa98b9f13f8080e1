import type { Executor, WaitResult } from '../../index.ts'
import { exitCodeOf } from '../exit-code.ts'
import { escaped } from '../output/escape.ts'
import { whenOutputFails } from '../output/hang-up.ts'
import { printJson } from '../output/printing.ts'
import { resultBlock, shortfalls } from '../output/result-block.ts'
import { resultDocument } from '../output/result-document.ts'
import { StateLine } from '../output/state-line.ts'
import { colorsFor } from '../output/terminal.ts'
import { namingFlags } from '../flags/naming.ts'
import { requireTerminal } from '../terminal/caller-terminal.ts'
import { attend, attendAtTerminal, type Attended } from './attend.ts'
import { InputNotice } from './input-notice.ts'

export type Presentation = {
  readonly json?: boolean
  readonly quiet?: boolean
  /** Where its result goes as JSON, besides what is printed. */
  readonly result?: string
  /** Remove its records and logs when it has ended. */
  readonly rm?: boolean
  /** The task has the standard input of this program. */
  readonly interactive?: boolean | undefined
  /** The task has the terminal of this program. */
  readonly tty?: boolean
  /** It has a root of its own: what its arguments name may be on the host alone. */
  readonly isolated?: boolean
}

/** Starts a task and leaves it running, having said what it is called. */
export async function detached(task: Executor, { json: asJson, quiet }: Presentation): Promise<number> {
  await started(task)
  const { key, name, state, enforcement } = task
  // It goes on as asked for; what cannot be is to be known by nobody.
  whenOutputFails(failure => {
    process.stderr.write(`holdfast: task ${key} (${escaped(name)}) goes on\n`)
    process.exit(failure === null ? 0 : 125)
  })
  if (asJson) printJson({ task: { key, name }, id: task.id(), state, enforcement })
  else {
    process.stdout.write(`${key}\n`)
    const short = quiet ? '' : shortfalls(enforcement, colorsFor(process.stderr))
    // A full disk takes not even nothing.
    if (short !== '') process.stderr.write(short)
  }
  return 0
}

/** Starts a task, stays with it to its end, and resolves to its exit code. */
export async function attached(task: Executor, { result: path, ...options }: Presentation): Promise<number> {
  if (options.tty) requireTerminal('-t')
  const file = path === undefined ? null : new (await import('../files/result-file.ts')).ResultFile(path)
  const end = options.tty ? leftOrEnded(task, options) : toTheEnd(task, options)
  const { document, exitCode } = await (file?.of(end, ({ document }) => document) ?? end)
  if (options.json) printJson(document)
  return exitCode
}

type End = { readonly document: unknown; readonly exitCode: number }

/** With the caller's terminal, which may be taken back: the task goes on then. */
async function leftOrEnded(task: Executor, options: Presentation): Promise<End> {
  const attended = await attendAtTerminal(task, () => started(task))
  if (attended !== 'detached') return await ended(task, attended, options)
  const { key, name } = task
  if (!options.quiet) process.stderr.write(wentOn(task))
  return { document: { task: { key, name }, id: task.id(), state: task.state }, exitCode: 0 }
}

/** Said where the caller has left a task that runs. */
export function wentOn({ key, name }: Executor): string {
  return `holdfast: ${escaped(name)} goes on; back to it: holdfast attach ${key}\n`
}

async function toTheEnd(task: Executor, options: Presentation): Promise<End> {
  const { json: asJson, quiet, interactive } = options
  // A task that is typed to draws on the terminal itself.
  const watched = process.stderr.isTTY && !asJson && !quiet && !interactive && process.env.TERM !== 'dumb'
  const line = watched ? new StateLine(process.stderr, colorsFor(process.stderr)) : null
  const notice = asJson || quiet || interactive ? null : new InputNotice(text => besides(line, text))
  const attended = await attend(task, () => started(task), { printing: !asJson, line }).catch(
    async (error: unknown) => {
      await notice?.end({ quietly: true })
      throw error
    },
  )
  // What it has not read is nobody's any more, and must not keep us.
  if (interactive) process.stdin.destroy()
  return await ended(task, attended, options, notice)
}

async function ended(
  task: Executor,
  { result, unprinted }: Attended,
  { json: asJson, quiet, rm, isolated }: Presentation,
  notice: InputNotice | null = null,
): Promise<End> {
  const { key, name, enforcement, command } = task
  const id = task.id()
  if (rm) await task.destroy()
  await notice?.end()
  if (!asJson && !quiet)
    process.stderr.write(resultBlock({ key, name, result, enforcement }, colorsFor(process.stderr)))
  if (!asJson && !quiet && !rm && hasOverlay(command)) process.stderr.write(await changesLine(task))
  if (!asJson && !quiet && isolated && (result.exitCode ?? 0) !== 0)
    for (const hint of await hintsOf(command, result)) process.stderr.write(`  hint      ${escaped(hint)}\n`)
  return {
    document: resultDocument({ key, name, id }, result, enforcement),
    exitCode: unprinted ? 125 : exitCodeOf(result),
  }
}

function hasOverlay({ workspace }: Executor['command']): boolean {
  return typeof workspace === 'object' && workspace.overlay === true
}

/** What the task has changed is kept, and somebody has to be told so. */
async function changesLine(task: Executor): Promise<string> {
  const count = await task.changes().then(
    changes => `${changes.length}`,
    () => 'unknown',
  )
  if (count === '0') return '  changes   none\n'
  return `  changes   ${count}, kept apart: \`holdfast diff ${task.key}\`, \`holdfast apply ${task.key}\`\n`
}

/** What it may have looked for in vain. 127 is what shells say of a program that is not on PATH. */
async function hintsOf(command: Executor['command'], { exitCode }: WaitResult): Promise<string[]> {
  const { namedOnlyOnHost, pathOnlyOnHost, shadowsOnHost } = await import('../../index.ts')
  const named = namedOnlyOnHost(command).map(
    ({ path, flags }) => `${path} is on the host, and not in the task's root: ${flags} shows it`,
  )
  const path = exitCode === 127 ? pathOnlyOnHost(command) : []
  const shadows = shadowsOnHost(command)
  if (shadows !== null) {
    const { host, task } = shadows
    named.push(
      `this shell's ${command.path} is ${host}, the task's is ${task}: --toolchains gives it this shell's`,
    )
  }
  if (path.length === 0) return named
  return [
    ...named,
    `this shell's PATH has ${path.join(', ')}, which the task is not shown: --toolchains shows what programs need of it`,
  ]
}

function besides(line: StateLine | null, text: string): void {
  const write = () => void process.stderr.write(text)
  if (line === null) write()
  else line.around(Buffer.from(text), write)
}

/** A task that could not be started leaves nothing worth keeping: the error says it all. */
async function started(task: Executor): Promise<void> {
  try {
    await namingFlags(() => task.start())
  } catch (error) {
    // What failed first is what is to be told.
    await task.destroy().catch(() => {})
    throw error
  }
}
