import { execFileSync } from 'node:child_process'

/** Makes FIFOs, 0600. Node has no mkfifo(3); POSIX has mkfifo(1). */
export function makeFifos(...paths: readonly string[]): void {
  try {
    execFileSync('mkfifo', ['-m', '600', ...paths], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    throw Object.assign(error as Error, { stage: 'record' })
  }
}
