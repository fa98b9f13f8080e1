import { namingFlags } from './flags/naming.ts'
import { Supervisor, type SupervisorOptions } from '../index.ts'

/**
 * Lends a supervisor on the state directory, and lets go of it: whatever it was used for, the tasks go on.
 */
export async function withSupervisor<Value>(
  { stateDir, ...options }: Omit<SupervisorOptions, 'stateDir'> & { readonly stateDir?: string | undefined },
  use: (supervisor: Supervisor) => Promise<Value>,
): Promise<Value> {
  const supervisor = await namingFlags(
    async () => new Supervisor({ ...options, ...(stateDir !== undefined && { stateDir }) }),
  )
  try {
    return await use(supervisor)
  } finally {
    await supervisor.close()
  }
}
