import { watchAlive } from '../spawn/alive.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import { patiently } from './patiently.ts'

/** Resolves when the shim of a task directory is gone, or `letGo` says that nobody waits any more. Rejects where that cannot be seen. */
export async function untilGone(dir: string, keepAlive: KeepAlive, letGo: AbortSignal): Promise<void> {
  let heard = (): void => {}
  const end = new Promise<void>(resolve => (heard = resolve))
  const stop = await patiently(() => (letGo.aborted ? heard : watchAlive(dir, keepAlive, heard)))
  if (letGo.aborted) return stop()
  const abort = (): void => {
    stop()
    heard()
  }
  letGo.addEventListener('abort', abort, { once: true })
  try {
    await end
  } finally {
    letGo.removeEventListener('abort', abort)
  }
}
