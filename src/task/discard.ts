import { existsSync } from 'node:fs'
import { HoldfastError } from '../errors.ts'
import { platform } from '../platform/index.ts'
import { shimAlive, watchAlive } from '../spawn/alive.ts'
import { sendControl } from '../spawn/control.ts'
import { readStart } from '../spawn/records.ts'
import { isTaskKey } from './task-id.ts'
import type { TaskHost } from './task-process.ts'

/** A task whose stored state is of no use: killed through its FIFO, or by its start record when its shim is gone, and removed. */
export async function discardTask(host: TaskHost, key: string): Promise<void> {
  const dir = host.state.taskDirectory(key)
  if (!isTaskKey(key) || !existsSync(dir)) return
  if (shimAlive(dir)) {
    sendControl(dir, 'kill')
    await host.keepAlive.while(new Promise<void>(gone => watchAlive(dir, host.keepAlive, gone)))
  }
  const start = readStart(dir)
  // Which platform it was is in the part that cannot be read; the Linux one knows all that the other does.
  const adapter = platform(process.platform === 'linux' ? 'linux' : 'basic')
  if (start !== null && !('corrupt' in start)) {
    const survivors = await adapter.killTree(start)
    if (survivors.length > 0) {
      throw new HoldfastError('LOST', `processes of task ${key} are still alive: ${survivors.join(', ')}`, {
        stage: 'stop',
        path: dir,
      })
    }
    await adapter.release(start.cgroups)
  }
  await host.state.removeAlloc(key)
  host.state.remove(key)
}
