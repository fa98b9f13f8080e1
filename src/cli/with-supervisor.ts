import { findTask, type FoundTask } from './find-task.ts'
import { namingFlags } from './flags/naming.ts'
import type { Supervisor, SupervisorOptions } from '../index.ts'

type Options = Omit<SupervisorOptions, 'stateDir'> & { readonly stateDir?: string | undefined }

/**
 * Lends a supervisor on the state directory, and lets go of it: whatever it was used for, the tasks go on.
 * The library is loaded here, when it is known that there is something to do.
 */
export async function withSupervisor<Value>(
  { stateDir, ...options }: Options,
  use: (supervisor: Supervisor) => Promise<Value>,
): Promise<Value> {
  const library = await import('../index.ts')
  const supervisor = await namingFlags(
    async () => new library.Supervisor({ ...options, ...(stateDir !== undefined && { stateDir }) }),
  )
  try {
    return await use(supervisor)
  } finally {
    await supervisor.close()
  }
}

/** The same with the task that a word of the command line means. */
export async function withTask<Value>(
  options: Options,
  word = '',
  use: (found: FoundTask) => Promise<Value>,
): Promise<Value> {
  return await withSupervisor(options, async supervisor => await use(await findTask(supervisor, word)))
}
