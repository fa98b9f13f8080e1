import type { WaitResult } from '../index.ts'
import { numberOfSignal } from '../signals.ts'
import { failureExitCode } from './failure-exit-code.ts'

/**
 * What a shell would say of this end: the exit code, 128+n for a signal, 126 or 127 for what could not be
 * executed. Unknown is 125, never 0.
 */
export function exitCodeOf({
  cause,
  exitCode,
  signal,
  error,
}: Pick<WaitResult, 'cause' | 'exitCode' | 'signal' | 'error'>): number {
  // As timeout(1): whatever the program made of being stopped.
  if (cause === 'timeout') return 124
  if (exitCode !== null) return exitCode
  if (signal !== null) return 128 + (numberOfSignal(signal) ?? 0)
  return failureExitCode('wait', error ?? {})
}
