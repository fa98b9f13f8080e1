import { numberOfSignal, type WaitResult } from '../index.ts'
import { failureExitCode } from './failure-exit-code.ts'

/** What a shell would say of this end: the exit code, 128+n for a signal, 126 or 127 for what could not be executed. Unknown is 125, never 0. */
export function exitCodeOf({
  exitCode,
  signal,
  error,
}: Pick<WaitResult, 'exitCode' | 'signal' | 'error'>): number {
  if (exitCode !== null) return exitCode
  if (signal !== null) return 128 + (numberOfSignal(signal) ?? 0)
  return failureExitCode('wait', error ?? {})
}
