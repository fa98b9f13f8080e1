import type { LogOptions } from '../../index.ts'
import type { CommonOptions } from '../commands/subcommand.ts'
import { findTask } from '../find-task.ts'
import { parseCount } from '../parse/number.ts'
import { withSupervisor } from '../with-supervisor.ts'

export type LogsOptions = CommonOptions & {
  readonly follow?: boolean
  readonly stderr?: boolean
  readonly tail?: string
}

export async function logs(
  [word = '']: readonly string[],
  { stateDir, follow, stderr, tail }: LogsOptions,
): Promise<number> {
  const options: LogOptions = {
    follow: follow ?? false,
    ...(tail !== undefined && { tail: parseCount('--tail', tail) }),
  }
  return await withSupervisor({ stateDir }, async supervisor => {
    const { task } = await findTask(supervisor, word)
    await task.logs$(stderr ? 'stderr' : 'stdout', options).forEach(chunk => {
      process.stdout.write(chunk)
    })
    return 0
  })
}
