import type { StopInput, StopRequest, TaskEvent } from './task-types.ts'

/**
 * What becomes of a stop request when this event comes: the first one stays, and a sooner deadline is taken
 * over.
 */
export function stopRequest(earlier: StopRequest | null, event: TaskEvent): StopRequest | null {
  if (event.type !== 'STOP' && event.type !== 'KILL') return earlier
  const graceMs = event.type === 'KILL' ? 0 : event.graceMs
  const kill = {
    killAt: deadline(event.at, graceMs),
    ...(event.boot && { killAtBoot: { id: event.boot.id, at: deadline(event.boot.at, graceMs) } }),
  }
  if (earlier !== null) return isSooner(earlier, kill) ? { ...earlier, ...kill } : earlier
  return event.type === 'KILL'
    ? { reason: 'force', signal: 'SIGKILL', requestedAt: event.at, ...kill }
    : {
        reason: 'shutdown',
        signal: event.signal,
        requestedAt: event.at,
        ...kill,
        ...(event.target && { target: event.target }),
      }
}

/** What is stored is JSON, which has no Infinity. */
function deadline(at: number, graceMs: number): number {
  return Math.min(at + graceMs, Number.MAX_SAFE_INTEGER)
}

type Deadline = Pick<StopRequest, 'killAt' | 'killAtBoot'>

/** By the clock that nobody sets, where both are on it. */
export function isSooner(earlier: Deadline | null, later: Deadline | null): boolean {
  if (earlier === null || later === null) return false
  const [one, other] = [earlier.killAtBoot, later.killAtBoot]
  return one && other && one.id === other.id ? other.at < one.at : later.killAt < earlier.killAt
}

/** What the actor that stops the task is given. */
export function stopInput(key: string, stop: StopRequest | null): StopInput {
  if (stop === null) throw new Error('stopping without a stop request')
  const { signal, killAt, killAtBoot, target } = stop
  return { key, signal, killAt, ...(killAtBoot && { killAtBoot }), ...(target && { target }) }
}
