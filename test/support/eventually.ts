import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Tries until it holds; the last complaint is the test's when it does not come about. Generous: the machine
 * may be busy.
 */
export async function eventually(holds: () => void | Promise<void>, maxMs = 30_000): Promise<void> {
  const end = performance.now() + maxMs
  for (;;) {
    try {
      await holds()
      return
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await sleep(20)
  }
}
