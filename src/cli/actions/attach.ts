import { fstatSync } from 'node:fs'
import { type Executor, HoldfastError } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { exitCodeOf } from '../exit-code.ts'
import { findTask } from '../find-task.ts'
import { escaped } from '../output/escape.ts'
import { whenOutputFails } from '../output/hang-up.ts'
import { requireTerminal } from '../terminal/caller-terminal.ts'
import { isUp } from '../samples.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { follow } from './attend.ts'
import { wentOn } from './presentation.ts'

export type AttachOptions = CommonOptions & { readonly stdin: boolean; readonly quiet?: boolean }

export async function attach([word = '']: readonly string[], options: AttachOptions): Promise<number> {
  return await withSupervisor({ stateDir: options.stateDir }, async supervisor => {
    const { key, name, task } = await findTask(supervisor, word)
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
