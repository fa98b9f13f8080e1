import {
  concat,
  defer,
  exhaustMap,
  from,
  fromEvent,
  ignoreElements,
  interval,
  lastValueFrom,
  map,
  merge,
  type Observable,
  takeUntil,
  tap,
} from 'rxjs'
import type { Supervisor } from '../index.ts'
import type { TaskUsage } from './output/usage-table.ts'

const intervalMs = 1000
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Shows sample after sample until a signal comes, or `quit` says so. */
export async function untilEnded(
  supervisor: Supervisor,
  show: (tasks: TaskUsage[]) => void,
  quit: AbortSignal = new AbortController().signal,
): Promise<void> {
  const ends = [fromEvent(quit, 'abort'), ...endSignals.map(signal => fromEvent(process, signal))]
  const shown = samples$(supervisor).pipe(tap(show), takeUntil(merge(...ends)))
  await lastValueFrom(shown, { defaultValue: [] })
}

/**
 * Samples of all tasks that run, each second: those that others have started meanwhile come in with the next.
 */
function samples$(supervisor: Supervisor): Observable<TaskUsage[]> {
  const opened = (): Observable<never> => from(supervisor.openAll()).pipe(ignoreElements())
  const later = interval(intervalMs).pipe(exhaustMap(opened))
  const samples = supervisor.usage$(intervalMs).pipe(
    map(usages =>
      [...usages].map(([key, usage]) => ({
        task: { key, name: supervisor.tasks.get(key)?.name ?? '' },
        ...usage,
      })),
    ),
  )
  return concat(defer(opened), merge(samples, later))
}
