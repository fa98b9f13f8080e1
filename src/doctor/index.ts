import type { HostReport } from './host-report.ts'

export type { HostReport, HostRow, RunReport } from './host-report.ts'

/**
 * What this host can enforce, for `doctor`. It is not concluded from what the host has: tasks that do nothing
 * are started in a directory of their own, and what became of them is what is said, in the words of a start.
 * Nothing of them is left; what a look that was killed has left, the next one removes. Takes some tenths of a
 * second.
 */
export async function fingerprint(): Promise<HostReport> {
  // Read where it is asked for alone.
  return (await import('./fingerprint.ts')).fingerprint()
}
