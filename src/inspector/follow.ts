import type { SSEStreamingApi } from 'hono/streaming'
import type { Feed } from './feed.ts'
import type { Watcher } from './watcher.ts'

/** So that a reader notices within this time that nobody is there any more. */
const heartbeatMs = 15_000

/**
 * Tells one reader what happens: from where it was when its connection broke, or everything if that is too
 * long ago.
 */
export async function follow(
  stream: Pick<SSEStreamingApi, 'writeSSE'>,
  { feed, watcher }: { readonly feed: Feed; readonly watcher: Watcher },
  lastEventId: string | undefined,
  gone: AbortSignal,
): Promise<void> {
  let position = feed.position(lastEventId)
  let sampled = 0
  while (!gone.aborted) {
    const events = position === null ? null : feed.after(position)
    if (events === null) {
      position = feed.last
      await stream.writeSSE({
        event: 'snapshot',
        id: feed.id(position),
        data: JSON.stringify({ tasks: watcher.rows() }),
      })
      continue
    }
    for (const { number, name, data } of events) {
      if (gone.aborted) return
      await stream.writeSSE({ event: name, id: feed.id(number), data })
      position = number
    }
    if (watcher.sample.at > sampled) {
      sampled = watcher.sample.at
      await stream.writeSSE({ event: 'usage', data: JSON.stringify(watcher.sample) })
    }
    if (position !== feed.last || watcher.sample.at > sampled) continue
    const before = performance.now()
    await feed.more(heartbeatMs, gone)
    if (performance.now() - before >= heartbeatMs - 10 && !gone.aborted)
      await stream.writeSSE({ event: 'beat', data: '' })
  }
}
