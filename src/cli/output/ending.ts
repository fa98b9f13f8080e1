import type { WaitResult } from '../../index.ts'
import { bytesText, timeText } from './units.ts'

/**
 * How it ended, in words: `exited with code 3 after 12 ms`, `was killed by SIGKILL (out of memory) after 2
 * s`.
 */
export function endingText(result: WaitResult): string {
  const reason = result.cause === 'oom' ? outOfMemory(result) : reasons[result.cause]
  const { startedAt, exitedAt } = result
  const after = startedAt && exitedAt ? ` after ${timeText(exitedAt.getTime() - startedAt.getTime())}` : ''
  return `${ending(result)}${reason === undefined ? '' : ` (${reason})`}${after}`
}

const reasons: Readonly<Partial<Record<WaitResult['cause'], string>>> = {
  shutdown: 'stopped as asked',
  forced: 'killed by force',
  timeout: 'its time was up',
  output: 'it gave more output than allowed',
}

/** As far as somebody has written down how much memory that was. */
function outOfMemory({ usage }: WaitResult): string {
  const memory = memoryText(usage)
  return memory === '' ? 'out of memory' : `ran out of memory: ${memory}`
}

/** `limit 64 MiB, peak 64 MiB`; empty: neither is known. */
export function memoryText(usage: WaitResult['usage']): string {
  const { memoryLimitBytes: limit = null, memoryPeakBytes: peak = null } = usage ?? {}
  return [limit === null ? '' : `limit ${bytesText(limit)}`, peak === null ? '' : `peak ${bytesText(peak)}`]
    .filter(Boolean)
    .join(', ')
}

function ending({ cause, exitCode, signal, coreDumped }: WaitResult): string {
  if (cause === 'startFailed') return 'did not start'
  if (exitCode !== null) return `exited with code ${exitCode}`
  if (signal !== null) return `was ended by ${signal}${coreDumped ? ', dumping core' : ''}`
  return 'has ended, nobody knows how'
}
