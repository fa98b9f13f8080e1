import { pauseUntil } from '../deadline.ts'
import type { StopMeans } from '../stop-means.ts'
import type { TaskParts } from './task-parts.ts'

/** What a task's effects have to bring about its end with. */
export function stopMeans({ dir, records, keeper, services }: TaskParts, abandoned: AbortSignal): StopMeans {
  return {
    dir,
    start: () => records.known(),
    killTask: start => keeper.killTree(start, { spareShim: true, limitMs: 1000 }),
    pause: milliseconds => {
      const began = performance.now()
      return pauseUntil(() => began + milliseconds - performance.now(), abandoned, services.keepAlive)
    },
    abandoned,
  }
}
