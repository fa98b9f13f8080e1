import {
  defer,
  finalize,
  fromEvent,
  lastValueFrom,
  type Observable,
  of,
  repeat,
  Subject,
  takeLast,
  takeUntil,
  takeWhile,
} from 'rxjs'
import type { KeepAlive } from '../spawn/keep-alive.ts'

/** Of what setTimeout takes. */
const longestTimer = 2 ** 31 - 1

/**
 * Emits once, when nothing is left, and completes. `left`, in milliseconds, is asked at each subscription,
 * after each timer, and at least every `askMs`: a deadline may move, and its clock be another than the
 * timer's. It keeps the program running only while somebody waits for a task.
 */
export function deadline(
  left: () => number,
  keepAlive: KeepAlive,
  askMs: number = longestTimer,
): Observable<void> {
  return defer(() => {
    const wait = left()
    return wait > 0 ? timerOf(Math.min(wait, askMs, longestTimer), keepAlive) : of(undefined)
  }).pipe(
    repeat(),
    takeWhile(() => left() > 0, true),
    takeLast(1),
  )
}

/** Emits when it is aborted, at once where it has been. */
export function aborted(signal: AbortSignal): Observable<unknown> {
  return defer(() => (signal.aborted ? of(null) : fromEvent(signal, 'abort')))
}

/** Resolves when nothing is left, or it is abandoned. */
export async function pauseUntil(
  left: () => number,
  abandoned: AbortSignal,
  keepAlive: KeepAlive,
): Promise<void> {
  const over = deadline(left, keepAlive).pipe(takeUntil(aborted(abandoned)))
  await lastValueFrom(over, { defaultValue: undefined })
}

/**
 * As RxJS's timer(), which gives nobody its handle: whether it keeps the program running is not for itself to
 * decide.
 */
function timerOf(milliseconds: number, keepAlive: KeepAlive): Observable<void> {
  return defer(() => {
    const over = new Subject<void>()
    const timer = setTimeout(() => {
      over.next()
      over.complete()
    }, milliseconds)
    const forget = keepAlive.add(timer)
    return over.pipe(
      finalize(() => {
        clearTimeout(timer)
        forget()
      }),
    )
  })
}
