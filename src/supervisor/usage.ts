import {
  defer,
  endWith,
  filter,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  Subscription,
  takeUntil,
  using,
} from 'rxjs'
import type { Usage } from '../api.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import type { TaskRuntime } from '../task/task-runtime.ts'
import type { TaskStreams } from './streams.ts'

/** By the key of the task. */
export type TasksUsage = ReadonlyMap<string, Usage>

type Tasks = ReadonlyMap<string, TaskExecutor>

/**
 * Samples of all running tasks, one sweep a tick, shared by all who want them equally often. Throws
 * INVALID_ARGUMENT.
 */
export function usageOfAll(
  tasks: Tasks,
  { processes, usage }: Pick<TaskRuntime<TaskExecutor>, 'processes' | 'usage'>,
  streams: TaskStreams,
  intervalMs: number,
): Observable<TasksUsage> {
  const samples = usage.every(tasks, intervalMs, () => from(sampleAll(tasks)))
  const started = streams.of('started').pipe(map(({ task }) => task))
  // What the samples have opened of a task is kept for the next, until it ends.
  const kept = defer(() => merge(from([...tasks.values()]), started)).pipe(
    filter(({ outcome }) => outcome === null),
    mergeMap(({ key, state$ }) =>
      using(
        () => new Subscription(processes.get(key)?.usage.watch()),
        () => state$,
      ),
    ),
    ignoreElements(),
  )
  return merge(samples, kept).pipe(takeUntil(streams.of('started').pipe(ignoreElements(), endWith(null))))
}

async function sampleAll(tasks: Tasks): Promise<TasksUsage> {
  const running = [...tasks].filter(([, { state }]) => state === 'running' || state === 'stopping')
  // All are asked before any answers: they share what they look at, such as the process table.
  const samples = await Promise.all(
    running.map(async ([key, task]) => [key, await task.usage().catch(() => null)] as const),
  )
  return new Map(samples.flatMap(([key, usage]) => (usage === null ? [] : [[key, usage] as const])))
}
