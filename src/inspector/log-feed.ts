import type { SSEStreamingApi } from 'hono/streaming'
import type { Executor } from '../index.ts'

/** What waits for a reader; the page keeps no more than some thousand lines anyway. */
const maxBytes = 512 * 1024
const pieceBytes = 64 * 1024
const tailLines = 500

/**
 * Sends what a task prints. A reader that is slower than the task misses some, and is told how much; nothing
 * piles up.
 */
export async function followLog(
  stream: Pick<SSEStreamingApi, 'writeSSE'>,
  task: Executor,
  name: 'stdout' | 'stderr',
  gone: AbortSignal,
): Promise<void> {
  const decoder = new TextDecoder()
  let waiting: Uint8Array[] = []
  let bytes = 0
  let skipped = 0
  let over: string | null = null
  let wake = (): void => {}
  const subscription = task.logs$(name, { follow: true, tail: tailLines }).subscribe({
    next: chunk => {
      waiting.push(chunk)
      bytes += chunk.length
      while (bytes > maxBytes && waiting.length > 1) {
        const dropped = waiting.shift()?.length ?? 0
        bytes -= dropped
        skipped += dropped
      }
      wake()
    },
    error: (error: Error) => {
      over = error.message
      wake()
    },
    complete: () => {
      over ??= ''
      wake()
    },
  })
  const onGone = (): void => wake()
  gone.addEventListener('abort', onGone)
  try {
    while (!gone.aborted) {
      if (skipped > 0) {
        await stream.writeSSE({ event: 'skipped', data: JSON.stringify({ bytes: skipped }) })
        skipped = 0
      }
      const all = Buffer.concat(waiting)
      waiting = []
      bytes = 0
      for (let from = 0; from < all.length && !gone.aborted; from += pieceBytes) {
        const text = decoder.decode(all.subarray(from, from + pieceBytes), { stream: true })
        await stream.writeSSE({ event: 'text', data: JSON.stringify({ text }) })
      }
      if (waiting.length > 0 || skipped > 0) continue
      if (over !== null) {
        await stream.writeSSE({ event: 'end', data: JSON.stringify({ error: over === '' ? null : over }) })
        return
      }
      await new Promise<void>(resolve => {
        wake = resolve
        if (gone.aborted || waiting.length > 0 || over !== null) resolve()
      })
    }
  } finally {
    gone.removeEventListener('abort', onGone)
    subscription.unsubscribe()
  }
}
