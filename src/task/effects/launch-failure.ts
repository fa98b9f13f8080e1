import { failureOf } from '../../../machines/index.ts'
import { errnoName } from '../../errno-name.ts'
import { fromFailure, HoldfastError } from '../../errors.ts'
import { systemError } from '../../system-error.ts'
import { readExit } from '../../spawn/records.ts'
import { LaunchFailed, SpawnerDied } from '../../spawn/spawner.ts'
import { recordedOutcome } from '../recorded-outcome.ts'

/** What the machine is told of a launch that did not work: the exit record's own words where there is one. */
export function launchFailure(dir: string, error: unknown): unknown {
  const exit = readExit(dir)
  if (exit !== null && !('corrupt' in exit)) return { outcome: recordedOutcome(exit) }
  if (error instanceof LaunchFailed) return fromFailure(failureOf(error, errnoName))
  if (!(error instanceof SpawnerDied)) return inWords(error)
  return new HoldfastError('START_FAILED', `the task was not started: ${error.message}`, {
    stage: 'spawner',
    cause: error,
    hint: 'Starting it again starts a new spawner.',
  })
}

/** What the host refused while the start was being planned: no step of its own, so the errno says all. */
export function inWords(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  const { errno, denied, words, hint } = systemError(error)
  return new HoldfastError(denied ? 'PERMISSION' : 'START_FAILED', `the task was not started: ${words}`, {
    stage: 'request',
    errno,
    path: (error as NodeJS.ErrnoException | null)?.path,
    cause: error,
    hint,
  })
}
