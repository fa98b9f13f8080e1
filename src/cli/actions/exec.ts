import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { namingFlags } from '../parse/flag-names.ts'
import { withSupervisor } from '../with-supervisor.ts'
import { attached, detached, type Presentation } from './presentation.ts'
import { commandOf, resourcesOf, type TaskOptions } from './task-options.ts'

export type ExecOptions = CommonOptions &
  Pick<TaskOptions, 'interpolate' | 'env' | 'cwd' | 'user' | 'group' | 'timeout' | 'maxOutput'> &
  Presentation & { readonly detach?: boolean; readonly interactive?: boolean; readonly keep?: boolean }

export async function exec(
  [word = '', ...operands]: readonly string[],
  { interactive, detach, keep, ...options }: ExecOptions,
): Promise<number> {
  // The options end at TASK, so that a `--` after it is still there.
  const [program = '', ...args] = operands[0] === '--' ? operands.slice(1) : operands
  const { env, ...command } = commandOf(options)
  return await withSupervisor({ stateDir: options.stateDir }, async supervisor => {
    const { task } = await findTask(supervisor, word)
    const guest = await namingFlags(async () => task.exec(program, ...args))
    Object.assign(guest.command, command, { env: { ...guest.command.env, ...env } })
    const resources = resourcesOf(options)
    if (resources !== null) await namingFlags(() => guest.limit(resources))
    if (detach) return await detached(guest, options)
    if (interactive) guest.command.stdin = process.stdin
    return await attached(guest, { ...options, rm: !keep, interactive })
  })
}
