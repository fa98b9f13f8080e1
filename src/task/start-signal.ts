import * as z from 'zod/mini'
import type { StartOptions } from '../api.ts'
import { lazily } from '../lazily.ts'
import { invalidArgument } from '../invalid-argument.ts'

const shape = lazily(() => z.strictObject({ signal: z.optional(z.instanceof(AbortSignal)) }))

const noOptions: StartOptions = {}

/**
 * Throws INVALID_ARGUMENT for what is no AbortSignal, and the signal's reason when it has been aborted
 * already.
 */
export function startSignal(options: StartOptions = noOptions): AbortSignal | null {
  if (options === noOptions) return null
  if (!shape().safeParse(options).success)
    throw invalidArgument('start: options', options, 'an object with signal (an AbortSignal)')
  const { signal = null } = options
  signal?.throwIfAborted()
  return signal
}

/**
 * Starts under a signal. One that is aborted before the program was exec'ed stops the task, whose end is
 * waited for, and is the reason of the rejection; later it calls `stop` alone. `ended` tells when there is
 * nothing to stop any more.
 */
export async function startUnder(
  signal: AbortSignal,
  launched: Promise<void>,
  stop: () => Promise<unknown>,
  ended: (callback: () => void) => void,
): Promise<void> {
  let stopping = null as Promise<unknown> | null
  const abort = (): void => {
    stopping = stop()
    // Of a task that runs, whoever waits for it hears how the stop went.
    stopping.catch(() => {})
  }
  signal.addEventListener('abort', abort, { once: true })
  const forget = (): void => signal.removeEventListener('abort', abort)
  try {
    await launched
  } catch (error) {
    forget()
    if (signal.aborted) throw signal.reason
    throw error
  }
  if (stopping !== null) {
    await stopping
    throw signal.reason
  }
  ended(forget)
}
