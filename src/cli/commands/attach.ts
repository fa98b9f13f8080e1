import type { Command } from 'commander'
import { fstatSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import type { Executor } from '../../index.ts'
import { exitCodeOf } from '../exit-code.ts'
import { escaped } from '../output/escape.ts'
import { whenOutputFails } from '../output/hang-up.ts'
import { isUp } from '../samples.ts'
import { requireTerminal } from '../terminal/caller-terminal.ts'
import { withTask } from '../with-supervisor.ts'
import { follow } from '../attending/attend.ts'
import { wentOn } from '../attending/presentation.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function attachCommand(): Command {
  const command = subcommand('attach', 'task')
    .summary('join a running task: see its output, type into it')
    .description(
      "Gives a running task this terminal, whoever started it, until it ends; then exits as it did. A task without a terminal has both its streams printed from now on, and gets this command's standard input if its own was left open.",
    )
    .argument('<TASK>')
    .option('--no-stdin', 'only watch: what is typed is discarded')
    .option('-q, --quiet', 'print nothing but what the task prints')
    .addHelpText('after', more)
  return carriedOutBy(command, attach)
}

const more = `
Ctrl-P Ctrl-Q leaves a task with a terminal, Ctrl-C one without: the task goes on. Any number of callers may be
attached at once, and none of them holds the task up. Tasks that were started with -t or with -i --detach take input.
The end of this command's standard input is also the end of the input of an -i --detach task, unless it is /dev/null.

Examples:
  holdfast run -t --detach --name dev -- bash; holdfast attach dev
  echo 'print(6 * 7)' | holdfast attach repl

Exit codes: the task's own; 0 when it was left; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed.`

type AttachOptions = CommonOptions & { readonly stdin: boolean; readonly quiet?: boolean }

async function attach(options: AttachOptions, word?: string): Promise<number> {
  return await withTask({ stateDir: options.stateDir }, word, async ({ key, name, task }) => {
    if (!isUp(task.state))
      throw new HoldfastError('INVALID_STATE', `task ${key} (${escaped(name)}) has ended`, {
        hint: `\`holdfast logs ${key}\` prints what it has shown, \`holdfast wait ${key}\` how it ended.`,
      })
    const leave = new AbortController()
    const left = () => leave.abort()
    // What ends this program is none of the task's business.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, left)
    whenOutputFails(left)
    try {
      const how = await joined(task, options, leave.signal)
      if (how === 'ended') return exitCodeOf(await task.wait())
      if (!options.quiet) process.stderr.write(wentOn(task))
      return 0
    } finally {
      whenOutputFails()
      process.off('SIGINT', left).off('SIGTERM', left)
    }
  })
}

async function joined(
  task: Executor,
  { stdin, quiet }: AttachOptions,
  letGo: AbortSignal,
): Promise<'ended' | 'detached'> {
  if (task.command.terminal !== undefined && stdin) {
    requireTerminal('attach')
    const { atTerminal } = await import('../terminal/at-terminal.ts')
    return await atTerminal(task, { joined: true, letGo })
  }
  const fed = stdin ? feed(task, quiet ?? false) : null
  const output = follow(task, null, { tail: 0 })
  output.catch(() => {})
  const left = new Promise<'detached'>(resolve => letGo.addEventListener('abort', () => resolve('detached')))
  try {
    return await Promise.race([output.then(() => 'ended' as const), left])
  } finally {
    fed?.()
  }
}

/** Passes on what this program reads, and its end. Returns the way to stop. */
function feed(task: Executor, quiet: boolean): () => void {
  let input: ReturnType<Executor['openInput']>
  try {
    input = task.openInput()
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    if (!quiet) process.stderr.write(`holdfast: ${error.message}: what is typed here goes nowhere\n`)
    return () => {}
  }
  if (isNothing()) return () => input.destroy()
  process.stdin.pipe(input)
  // When all of it has been written: the order to end waits behind that.
  input.once('finish', () => void task.endInput().catch(() => {}))
  return () => {
    process.stdin.unpipe(input).destroy()
    input.destroy()
  }
}

/** /dev/null, as a service has it: its end says nothing. */
function isNothing(): boolean {
  try {
    return fstatSync(0).isCharacterDevice() && !process.stdin.isTTY
  } catch {
    return true
  }
}
