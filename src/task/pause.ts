import type { KeepAlive } from '../spawn/keep-alive.ts'

/** Until nothing is left, or it is abandoned. It keeps the program running only while somebody waits for a task. */
export async function pauseUntil(
  left: () => number,
  abandoned: AbortSignal,
  keepAlive: KeepAlive,
): Promise<void> {
  for (let wait = left(); wait > 0 && !abandoned.aborted; wait = left()) {
    await new Promise<void>(resolve => {
      const timer = setTimeout(done, Math.min(wait, longestTimer))
      const forget = keepAlive.add(timer)
      abandoned.addEventListener('abort', done, { once: true })
      function done(): void {
        clearTimeout(timer)
        forget()
        abandoned.removeEventListener('abort', done)
        resolve()
      }
    })
  }
}

/** Of what setTimeout takes. */
const longestTimer = 2 ** 31 - 1
