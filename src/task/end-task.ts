import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import { platform } from '../platform/index.ts'
import { isAlive } from '../spawn/process-table.ts'
import { killByAllMeans } from './stop-means.ts'

const pauseMs = 20

/**
 * Ends a task that no supervisor holds, whatever has become of its shim and its directory. Resolves to the
 * survivors, and when there are none its cgroups are gone too.
 */
export async function endTask(dir: string, start: StartRecord): Promise<readonly number[]> {
  // Which platform it was may be unknown; the Linux one knows all that the other does.
  const adapter = platform(process.platform === 'linux' ? 'linux' : 'basic')
  const gone = new AbortController()
  const checkShim = (): void => {
    if (!isAlive(start.shim)) gone.abort('over')
  }
  checkShim()
  const pause = async (milliseconds: number): Promise<void> => {
    const end = performance.now() + milliseconds
    for (checkShim(); !gone.signal.aborted && performance.now() < end; checkShim()) await sleep(pauseMs)
  }
  const killTask = (): Promise<readonly number[]> =>
    adapter.killTree(start, { spareShim: true, limitMs: 1000 })
  await killByAllMeans({ dir, start: () => start, killTask, pause, abandoned: gone.signal })
  const survivors = await adapter.killTree(start)
  if (survivors.length === 0) await adapter.release(start.cgroups)
  return survivors
}
