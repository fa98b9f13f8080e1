import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { refuseContradictions } from '../flags/contradictions.ts'
import { namingFlags } from '../flags/naming.ts'
import { askedFor } from '../flags/options.ts'
import { openToTyping } from '../terminal/open-to-typing.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { attached, detached, type Presentation } from './presentation.ts'

export type ExecOptions = CommonOptions &
  Presentation & { readonly detach?: boolean; readonly keep?: boolean }

export async function exec(
  [word = '', ...operands]: readonly string[],
  { detach, keep, ...options }: ExecOptions,
): Promise<number> {
  refuseContradictions({ detach, ...options })
  // The options end at TASK, so that a `--` after it is still there.
  const [program = '', ...args] = operands[0] === '--' ? operands.slice(1) : operands
  const { command, resources } = askedFor(options)
  return await withSupervisor({ stateDir: options.stateDir }, async supervisor => {
    const { task } = await findTask(supervisor, word)
    const session = await namingFlags(async () => task.exec(program, ...args))
    Object.assign(session.command, command, { env: { ...session.command.env, ...command.env } })
    openToTyping(session, { ...options, detach }, command.env)
    if (Object.keys(resources).length > 0) await namingFlags(() => session.limit(resources))
    return detach ? await detached(session, options) : await attached(session, { ...options, rm: !keep })
  })
}
