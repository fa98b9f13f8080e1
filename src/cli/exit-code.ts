import { constants } from 'node:os'
import type { WaitResult } from '../index.ts'
import { failureExitCode } from './failure-exit-code.ts'

/** What a shell would say of this end: the exit code, 128+n for a signal, 126 or 127 for what could not be executed. Unknown is 125, never 0. */
export function exitCodeOf({
  exitCode,
  signal,
  error,
}: Pick<WaitResult, 'exitCode' | 'signal' | 'error'>): number {
  if (exitCode !== null) return exitCode
  if (signal !== null) return 128 + signalNumber(signal)
  return failureExitCode('wait', error ?? {})
}

function signalNumber(signal: string): number {
  const [, beyond] = /^SIGRTMIN\+(\d+)$/.exec(signal) ?? []
  // The first real-time signal a program can use; the C library keeps the two below.
  return beyond === undefined ? (constants.signals[signal as NodeJS.Signals] ?? 0) : 34 + Number(beyond)
}
