import type { StartRecord } from '../../../machines/index.ts'
import { shimAlive } from '../../spawn/alive.ts'
import { SpawnerDied } from '../../spawn/spawner.ts'
import { launchFailure } from './launch-failure.ts'
import type { TaskParts } from './task-parts.ts'

/**
 * The machine's actor `launch` for a task that another supervisor starts: its shim lives, and writes the
 * record before anything is exec'ed, or ends.
 */
export async function adopt({ dir, records }: Pick<TaskParts, 'dir' | 'records'>): Promise<StartRecord> {
  for (;;) {
    const shimLives = shimAlive(dir)
    const found = records.read()
    if (found !== null) return found
    if (!shimLives) throw launchFailure(dir, new SpawnerDied('its shim is gone and left no start record'))
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
