import type { StopInput } from '../../../machines/index.ts'
import { HoldfastError } from '../../errors.ts'
import { leftUntil } from '../../spawn/boot-clock.ts'
import type { KeepAlive } from '../../spawn/keep-alive.ts'
import { fault } from '../fault.ts'
import { signalNumber } from '../signals.ts'
import { killByAllMeans, overdueMs, type StopMeans, tellShim } from '../stop-means.ts'
import type { TaskParts } from './task-parts.ts'

/** What a stop does to the other two actors. */
export type StopNotices = {
  /** Ends the standard input that this program feeds. */
  endInput(): void
  /** The task is killed past its shim, which then may leave no record. */
  bypassed(): void
}

/** The machine's actor `stop`: asks, waits for the deadline, forces. Resolves when all is said; the end itself is told by watch. */
export async function stop(
  task: TaskParts,
  request: StopInput,
  abandoned: AbortSignal,
  notices: StopNotices,
): Promise<void> {
  // On disk before the first signal, and before anybody is told (XState runs effects before it tells observers): whoever
  // takes over goes on with this deadline, and counts this state as passed.
  task.file.saveNow()
  const means = stopMeans(task, abandoned)
  const grace = leftUntil(request)
  if (grace > 0) {
    // All that a program of the console hears of a stop on Windows.
    if (process.platform === 'win32') notices.endInput()
    const whom = request.target === 'leader' ? ' leader' : ''
    tellShim(means, `stop ${signalNumber(request.signal)} ${Math.ceil(grace)}${whom}`)
    fault('stop-sent')
    await pauseUntil(() => leftUntil(request), abandoned, task.services.keepAlive)
    if (abandoned.aborted) return
  }
  fault('kill-sending')
  const killing = killByAllMeans(means, () => notices.bypassed())
  fault('kill-sent')
  const survivors = await killing
  if (!abandoned.aborted) throw overdue(task.file.spec.request.key, survivors)
}

function stopMeans({ dir, records, keeper, services }: TaskParts, abandoned: AbortSignal): StopMeans {
  return {
    dir,
    start: () => records.known(),
    killTask: start => keeper.killTree(start, { spareShim: true, limitMs: 1000 }),
    pause: milliseconds => {
      const began = performance.now()
      return pauseUntil(() => began + milliseconds - performance.now(), abandoned, services.keepAlive)
    },
    abandoned,
  }
}

/** setTimeout takes 2^31-1 ms at most. It keeps the program running only while somebody waits for a task. */
async function pauseUntil(left: () => number, abandoned: AbortSignal, keepAlive: KeepAlive): Promise<void> {
  for (let wait = left(); wait > 0 && !abandoned.aborted; wait = left()) {
    await new Promise<void>(resolve => {
      const timer = setTimeout(done, Math.min(wait, 2 ** 31 - 1))
      const forget = keepAlive.add(timer)
      abandoned.addEventListener('abort', done, { once: true })
      function done(): void {
        clearTimeout(timer)
        forget()
        abandoned.removeEventListener('abort', done)
        resolve()
      }
    })
  }
}

function overdue(key: string, survivors: readonly number[]): HoldfastError {
  const alive = survivors.length > 0 ? `; still alive: ${survivors.join(', ')}` : ''
  const sentence = `task ${key} has not ended ${overdueMs / 1000} s after it was killed${alive}`
  return new HoldfastError('LOST', sentence, {
    stage: 'stop',
    hint: 'A process in an uninterruptible system call (state D) ends when the call does: a hung network or FUSE mount, usually.',
  })
}
