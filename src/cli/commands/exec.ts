import type { Command } from 'commander'
import { refuseContradictions } from '../flags/contradictions.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor, takeFlags } from '../flags/options.ts'
import { openToTyping } from '../terminal/open-to-typing.ts'
import { withTask } from '../with-supervisor.ts'
import { attached, detached, type Presentation } from '../attending/presentation.ts'
import { carriedOutBy, subcommand, type CommonOptions } from './subcommand.ts'

export function execCommand(): Command {
  const command = subcommand('exec', 'task')
    .summary('run a command inside a running task')
    .description(
      'Runs a second command with the limits and the isolation of a running task, prints what it prints, and exits as it does.',
    )
    .argument('<TASK>')
    .argument(
      '<COMMAND>',
      "a program's path, or its name on the task's PATH; options of holdfast come before TASK",
    )
    .argument('[ARG...]', 'its arguments, which reach it as they are')
    .passThroughOptions()
    .addHelpText('after', more)
  takeFlags(command, 'exec')
  return carriedOutBy(command, exec)
}

const more = `
It is a task of its own, with a key and a result, and ends when the task it runs in ends. Stopping it leaves that
task alone.

Examples:
  holdfast exec web -- ps ax
  holdfast exec -t web -- bash
  holdfast exec -i web -- tar -x <files.tar
  holdfast exec --user root --env DEBUG=1 web -- /local/tool --check

Exit codes: the command's own; 128+n if signal n ended it; 124 if its time was up; 125 if holdfast failed; 126 if the program could not be executed; 127 if it was not found.`

type ExecOptions = CommonOptions & Presentation & { readonly detach?: boolean; readonly keep?: boolean }

async function exec(
  { detach, keep, ...options }: ExecOptions,
  word?: string,
  ...operands: readonly string[]
): Promise<number> {
  refuseContradictions({ detach, ...options })
  // The options end at TASK, so that a `--` after it is still there.
  const [program = '', ...args] = operands[0] === '--' ? operands.slice(1) : operands
  const { command, resources } = askedFor(options)
  return await withTask({ stateDir: options.stateDir }, word, async ({ task }) => {
    const session = await namingFlags(async () => task.exec(program, ...args))
    Object.assign(session.command, command, { env: { ...session.command.env, ...command.env } })
    openToTyping(session, { ...options, detach }, command.env)
    if (Object.keys(resources).length > 0) await namingFlags(() => session.limit(resources))
    return detach ? await detached(session, options) : await attached(session, { ...options, rm: !keep })
  })
}
