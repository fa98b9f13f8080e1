import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { HoldfastError } from '../errors.ts'
import { systemError } from '../system-error.ts'

/**
 * spawn(), of which every failure has the same words: some errnos it throws (ENOMEM, what Node's permission
 * model refuses), some come as an event, for which there is a listener from the first moment. Throws
 * PERMISSION or START_FAILED, stage `spawner`.
 */
export function startProcess(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(file, args, options).on('error', () => {})
  } catch (error) {
    throw spawnFailed(error)
  }
}

export function spawnFailed(cause: unknown): HoldfastError {
  const { errno, denied, words, hint } = systemError(cause, 'spawner')
  const why = errno ?? words
  return new HoldfastError(
    denied ? 'PERMISSION' : 'START_FAILED',
    `the process that starts tasks could not be started: ${why}`,
    { stage: 'spawner', errno, cause, hint },
  )
}
