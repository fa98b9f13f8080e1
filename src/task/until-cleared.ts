import type { Launched } from '../spawn/spawner.ts'
import type { TaskParts } from './effects/task-parts.ts'
import { untilGone } from './until-gone.ts'

/**
 * No cgroup keeps a shim busy for longer; one that hangs is not waited for: what it would have removed, the
 * caller does.
 */
const clearMs = 3000

/**
 * Resolves when the shim of a task whose end it has told is gone: until then it removes cgroups, and holds
 * the task's directory. `launched` is null of a task that another has started, whose end is heard from the
 * shim's own.
 */
export async function untilCleared(
  { dir, records, services }: TaskParts,
  launched: Launched | null,
): Promise<void> {
  if (launched === null || (await Promise.race([launched.end, Promise.resolve(null)])) !== 'recorded') return
  let timer: NodeJS.Timeout | undefined
  // It keeps the program running meanwhile.
  const late = new Promise<null>(resolve => (timer = setTimeout(() => resolve(null), clearMs)))
  const heard = await Promise.race([launched.gone, late])
  clearTimeout(timer)
  if (heard !== 'unwatched') return
  await services.keepAlive.while(
    untilGone(dir, records.known(), services.keepAlive, AbortSignal.timeout(clearMs)),
  )
}
