import type { StartRecord } from '../../../machines/index.ts'
import { shimAlive } from '../../spawn/alive.ts'
import { SpawnerDied } from '../../spawn/spawner.ts'
import { confirm, untilReadBack } from './confirm.ts'
import { launchFailure } from './launch-failure.ts'
import type { TaskParts } from './task-parts.ts'

/**
 * The machine's actor `launch` for a task that another supervisor starts: its shim lives, and writes the
 * record before anything is exec'ed, or ends. What is in force of it is confirmed as at a start of our own.
 */
export async function adopt(task: TaskParts): Promise<StartRecord> {
  const { dir, file, records } = task
  for (;;) {
    const shimLives = shimAlive(dir)
    const found = records.read()
    if (found !== null) {
      if (file.spec.request.platform === 'linux') await untilReadBack(dir)
      return await confirm(task, found)
    }
    if (!shimLives) throw launchFailure(dir, new SpawnerDied('its shim is gone and left no start record'))
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
