import type { WaitResult } from '../../index.ts'
import { signalNumber } from './signals.ts'

export type ExitResult = {
  readonly exit_code: number
  readonly signal: number
  readonly oom_killed: boolean
}

/** While a task runs. Never leave it out: Nomad's client panics on an InspectTask without one. */
export const noResult: ExitResult = { exit_code: 0, signal: 0, oom_killed: false }

/**
 * An unknown end is -1, never 0: Nomad takes 0 for a success. A signal is reported beside 128 plus its
 * number, as a shell has it.
 */
export function exitResult({ exitCode, signal, oomKilled }: WaitResult): ExitResult {
  const number = signal === null ? 0 : signalNumber(signal)
  return {
    exit_code: exitCode ?? (number > 0 ? 128 + number : -1),
    signal: number,
    oom_killed: oomKilled,
  }
}

/** Why nobody knows how the task ended, in words; empty where somebody does. */
export function exitError({ error, cause, exitCode, signal }: WaitResult): string {
  if (exitCode !== null || signal !== null) return ''
  return error?.message ?? `the end of the task is not known (${cause})`
}
