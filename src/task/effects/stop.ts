import { concat, defer, EMPTY, ignoreElements, lastValueFrom, type Observable, takeUntil } from 'rxjs'
import type { StopInput } from '../../../machines/index.ts'
import { HoldfastError } from '../../errors.ts'
import { leftUntil } from '../../spawn/boot-clock.ts'
import { systemError } from '../../system-error.ts'
import { aborted, deadline } from '../deadline.ts'
import { failpoint } from '../failpoint.ts'
import { signalNumber } from '../signals.ts'
import { killByAllMeans, overdueMs, type StopMeans, tellShim } from '../stop-means.ts'
import type { Bypass } from './bypass.ts'
import { stopMeans } from './means.ts'
import type { TaskParts } from './task-parts.ts'

/** What a stop does to the other two actors. */
export type StopNotices = {
  /** Ends the standard input that this program feeds. */
  readonly endInput: () => void
  /** Told when the task is killed past its shim. */
  readonly bypass: Bypass
}

/**
 * The machine's actor `stop`: asks, waits for the deadline, forces. Resolves when all is said; the end itself
 * is told by watch.
 */
export async function stop(
  task: TaskParts,
  request: StopInput,
  abandoned: AbortSignal,
  notices: StopNotices,
): Promise<void> {
  try {
    await carryOut(task, request, abandoned, notices)
  } catch (error) {
    throw error instanceof HoldfastError ? error : stopNotDelivered(task.dir, error)
  }
}

async function carryOut(
  task: TaskParts,
  request: StopInput,
  abandoned: AbortSignal,
  notices: StopNotices,
): Promise<void> {
  // On disk before the first signal, and before anybody is told (XState runs effects before it tells
  // observers): whoever takes over goes on with this deadline, and counts this state as passed.
  task.file.saveNow()
  const means = stopMeans(task, abandoned)
  const steps = concat(asked(task, request, means, notices), forced(means, notices))
  const survivors = await lastValueFrom(steps.pipe(takeUntil(aborted(abandoned))), { defaultValue: null })
  if (survivors === null || abandoned.aborted) return
  // Nothing of the task is left: its shim alone is kept from dying, by a frozen cgroup or a hung disk.
  if (survivors.length === 0 && task.records.known() !== null) notices.bypass.end(survivors)
  else throw overdue(task.file.spec.request.key, survivors)
}

/**
 * Asks the task to end, and completes when its grace is over; at once where there is none, and nobody is
 * asked.
 */
function asked(
  { services }: TaskParts,
  request: StopInput,
  means: StopMeans,
  { endInput }: StopNotices,
): Observable<never> {
  return defer(() => {
    const grace = leftUntil(request)
    if (grace <= 0) return EMPTY
    // All that a program of the console hears of a stop on Windows.
    if (process.platform === 'win32') endInput()
    const whom = request.target === 'leader' ? ' leader' : ''
    tellShim(means, `stop ${signalNumber(request.signal)} ${Math.ceil(grace)}${whom}`)
    failpoint('stop-sent')
    return deadline(() => leftUntil(request), services.keepAlive)
  }).pipe(ignoreElements())
}

/** Kills, and emits what is left. */
function forced(means: StopMeans, { bypass }: StopNotices): Observable<readonly number[]> {
  return defer(() => {
    failpoint('kill-sending')
    const killing = killByAllMeans(means, () => bypass.begin('forced'))
    failpoint('kill-sent')
    return killing
  })
}

/** What this program may not, or cannot, do for the moment: the task knows nothing of it. */
function stopNotDelivered(dir: string, cause: unknown): HoldfastError {
  const { errno, denied, words, hint } = systemError(cause)
  const message = `the task could not be told to stop: ${words}`
  return new HoldfastError(denied ? 'PERMISSION' : 'INVALID_STATE', message, {
    stage: 'stop',
    errno,
    path: dir,
    cause,
    hint,
  })
}

function overdue(key: string, survivors: readonly number[]): HoldfastError {
  const alive = survivors.length > 0 ? `; still alive: ${survivors.join(', ')}` : ''
  const sentence = `task ${key} has not ended ${overdueMs / 1000} s after it was killed${alive}`
  return new HoldfastError('LOST', sentence, {
    stage: 'stop',
    hint: 'A process in an uninterruptible system call (state D) ends when the call does: a hung network or FUSE mount, usually.',
  })
}
