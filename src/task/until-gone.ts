import type { StartRecord } from '../../machines/index.ts'
import { watchAlive } from '../spawn/alive.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import { pauseUntil } from './deadline.ts'
import { retryTransient } from './retry-transient.ts'
import { aliveIsHeld, isRunning } from './shim-life.ts'

/** How often the process table is asked, where there is nothing that could be watched. */
const askMs = 200

/**
 * Resolves when the shim of a task directory is gone, or `letGo` says that nobody waits any more. Rejects
 * where that cannot be seen. `recorded`: by which it is looked for where its FIFO is gone or another.
 */
export async function untilGone(
  dir: string,
  recorded: StartRecord | null,
  keepAlive: KeepAlive,
  letGo: AbortSignal,
): Promise<void> {
  const isBlind = await retryTransient(() => isRunning(recorded) && !aliveIsHeld(dir))
  if (!isBlind) return untilClosed(dir, keepAlive, letGo)
  while (isRunning(recorded) && !letGo.aborted) {
    const began = performance.now()
    await pauseUntil(() => began + askMs - performance.now(), letGo, keepAlive)
  }
}

async function untilClosed(dir: string, keepAlive: KeepAlive, letGo: AbortSignal): Promise<void> {
  let onGone = (): void => {}
  const end = new Promise<void>(resolve => (onGone = resolve))
  const stop = await retryTransient(() => (letGo.aborted ? onGone : watchAlive(dir, keepAlive, onGone)))
  if (letGo.aborted) return stop()
  const abort = (): void => {
    stop()
    onGone()
  }
  letGo.addEventListener('abort', abort, { once: true })
  try {
    await end
  } finally {
    letGo.removeEventListener('abort', abort)
  }
}
