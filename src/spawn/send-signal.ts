import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import type { ProcessIdentity } from '../../machines/index.ts'
import { nativeProgram } from './native-program.ts'
import { isAlive, readProcess } from './process-table.ts'

/**
 * Sends a signal to the very process that was recorded; false when it is gone, or not ours to signal. The
 * native program holds the process by a pidfd before it looks at the start time, so that a pid which changes
 * hands in between is not hit. Without it, that moment is left, and no `value` goes with the signal
 * (sigqueue(3)).
 */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals, value?: bigint): boolean {
  if (target.pid <= 1 || !isAlive(target)) return false
  const native = nativeProgram()
  if ('path' in native) {
    const args = ['signal', `${target.pid}`, `${target.startTime}`, `${constants.signals[signal]}`]
    const carried = value === undefined ? [] : [`${value}`]
    const status = statusOf(native.path, [...args, ...carried])
    if (status === 0 || status === 1) return status === 0
  }
  return isAlive(target) && sent(target.pid, signal)
}

/**
 * Null: it could not be started, or did not end by itself. Some of what is in its way spawn() throws: ENOMEM,
 * what Node's permission model refuses.
 */
function statusOf(program: string, args: readonly string[]): number | null {
  try {
    return spawnSync(program, args, { stdio: 'ignore', env: {}, cwd: '/', timeout: 10_000 }).status
  } catch {
    return null
  }
}

/** Stopped by a signal, and so deaf to all but SIGKILL and SIGCONT. */
export function isStopped({ pid, startTime }: ProcessIdentity): boolean {
  const entry = readProcess(pid)
  return entry !== null && entry.startTime === startTime && entry.state === 'T'
}

/** Lets one go on that somebody has stopped. */
export function continueStopped(target: ProcessIdentity | undefined): void {
  if (target !== undefined && isStopped(target)) signalProcess(target, 'SIGCONT')
}

function sent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
