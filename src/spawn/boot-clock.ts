import { uptime } from 'node:os'
import type { BootTime } from '../../machines/index.ts'
import { currentBootId } from './process-table.ts'

/** The kernel tells it in hundredths of a second (proc_uptime(5)), rounded down. */
export const bootClockStepMs = 10

/**
 * Milliseconds since boot, those in which the host was suspended included (CLOCK_BOOTTIME). All processes of
 * a host read the same clock, and nobody sets it: what has to be kept across processes, or be so long and no
 * longer, is measured by it and not by Date.now().
 */
export function bootMs(): number {
  return Math.round(uptime() * 1000)
}

/** This instant, for a deadline that another process may have to keep. Null where boots have no id. */
export function bootTime(): BootTime | null {
  const id = currentBootId()
  return id === '' ? null : { id, at: bootMs() }
}

/**
 * Milliseconds that are left until a deadline; zero or less: none. By the wall clock only where the other
 * says nothing.
 */
export function leftUntil({
  killAt,
  killAtBoot,
}: {
  readonly killAt: number
  readonly killAtBoot?: BootTime
}): number {
  const known = killAtBoot !== undefined && killAtBoot.id === currentBootId()
  return known ? killAtBoot.at - bootMs() : killAt - Date.now()
}
