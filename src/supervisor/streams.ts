import {
  asapScheduler,
  BehaviorSubject,
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  from,
  map,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  observeOn,
  scan,
  share,
  Subject,
  Subscription,
  switchMap,
  using,
} from 'rxjs'
import type { Outcome, TaskState } from '../../machines/index.ts'
import type { HistoryEntry, WaitResult } from '../api.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import type { TaskChange, TaskChanges } from '../task/task-change.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import { toWaitResult } from '../task/wait-result.ts'

export type TaskLabel = { key: string; name: string }
export type TaskResult = { task: TaskLabel } & WaitResult
export type TaskTransition = {
  task: TaskLabel
  from: TaskState
  to: TaskState
  /**
   * Position in this task's life: 1 for its first change of state, without gaps, going on after a restart.
   * The same change always has the same number. One that a supervisor published just before it was killed may
   * be published again by the next: key and number say so.
   */
  sequence: number
  at: Date
}

export type TaskHistoryEntry = { task: TaskLabel } & HistoryEntry

type AnyChange = TaskChange<TaskExecutor>
type OfType<Type extends AnyChange['type']> = Extract<AnyChange, { readonly type: Type }>

/** What the tasks of one supervisor do: one stream of changes, and by operators all that is made of it. */
export class TaskStreams implements TaskChanges<TaskExecutor> {
  readonly #tasks: () => Iterable<TaskExecutor>
  readonly #changes = new Subject<AnyChange>()
  /** By itself, because whether it is observed decides what counts as delivered. */
  readonly #transitions = new Subject<TaskTransition>()
  /** Whether there is a task that has not ended. */
  readonly #isLive = new BehaviorSubject(false)
  readonly #holding: Observable<never>
  readonly #egress = defer(() => this.#newEgress()).pipe(share())

  constructor(keepAlive: KeepAlive, tasks: () => Iterable<TaskExecutor>) {
    this.#tasks = tasks
    this.#holding = using(
      () => new Subscription(keepAlive.hold()),
      () => NEVER,
    )
    this.#changes
      .pipe(
        scan(withoutEnded, new Set<TaskExecutor>()),
        map(({ size }) => size > 0),
        distinctUntilChanged(),
      )
      .subscribe(this.#isLive)
    this.of('transition').pipe(map(toTransition)).subscribe(this.#transitions)
  }

  publish(change: AnyChange): void {
    this.#changes.next(change)
  }

  get areHeard(): boolean {
    return this.#transitions.observed
  }

  of<Type extends AnyChange['type']>(type: Type): Observable<OfType<Type>> {
    return this.#changes.pipe(filter((change): change is OfType<Type> => change.type === type))
  }

  /** Nothing is kept for slow or absent subscribers: wait() still answers. */
  get results$(): Observable<TaskResult> {
    const ends = this.of('exited').pipe(map(({ task, outcome }) => toTaskResult(task, outcome)))
    return this.#heldWhileLive(defer(() => concat(from(this.#endedResults()), ends)))
  }

  get transitions$(): Observable<TaskTransition> {
    return this.#heldWhileLive(this.#transitions)
  }

  /**
   * Of each change of state once, whichever supervisor writes it, but for what two write in the same instant;
   * and of each decision about a destination, which may come after the end of its task.
   */
  get journal$(): Observable<TaskHistoryEntry> {
    return merge(
      this.of('recorded').pipe(map(({ task, entry }) => ({ task: label(task), ...entry }))),
      this.#egress,
    )
  }

  /**
   * What the shims write of their tasks' destinations: of a task that this supervisor starts all, of one that
   * runs already what comes from now on. Followed once for all who listen, while somebody does.
   */
  #newEgress(): Observable<TaskHistoryEntry> {
    const present = defer(() => [...this.#tasks()].filter(({ state }) => hasStarted(state)))
    const adopted = this.of('started').pipe(
      map(({ task }) => task),
      // Told before the machine of the task has gone on.
      filter(({ held, outcome }) => held.takenOver && outcome === null),
      observeOn(asapScheduler),
    )
    const ours = this.of('transition').pipe(
      filter(({ task, change }) => change.to === 'running' && !task.held.takenOver),
      map(({ task }) => task),
    )
    const followed = (tasks: Observable<TaskExecutor>, fromStart: boolean) =>
      tasks.pipe(mergeMap(task => egressOf(task, fromStart)))
    return merge(followed(concat(present, adopted), false), followed(ours, true))
  }

  complete(): void {
    this.#changes.complete()
  }

  #endedResults(): TaskResult[] {
    return [...this.#tasks()].flatMap(task =>
      task.outcome === null ? [] : [toTaskResult(task, task.outcome)],
    )
  }

  /**
   * Keeps the program running while somebody listens and there is something that may still be heard: a task
   * that has not ended.
   */
  #heldWhileLive<Value>(source: Observable<Value>): Observable<Value> {
    return using(
      () => this.#isLive.pipe(switchMap(isLive => (isLive ? this.#holding : EMPTY))).subscribe(),
      () => source,
    )
  }
}

/** The tasks that have not ended, after a change. */
function withoutEnded(live: Set<TaskExecutor>, { type, task }: AnyChange): Set<TaskExecutor> {
  if (type === 'started') live.add(task)
  if (type === 'exited' || type === 'destroyed') live.delete(task)
  return live
}

const hasStarted = (state: TaskState): boolean => state === 'running' || state === 'stopping'

/** None where they cannot be read: the journal of the others goes on. */
function egressOf(task: TaskExecutor, fromStart: boolean): Observable<TaskHistoryEntry> {
  return defer(() => task.held.egressEntries$(fromStart)).pipe(
    map(entry => ({ task: label(task), ...entry })),
    catchError(() => EMPTY),
  )
}

function label({ key, name }: TaskExecutor): TaskLabel {
  return { key, name }
}

function toTransition({ task, change: { at, ...change } }: OfType<'transition'>): TaskTransition {
  return { task: label(task), ...change, at: new Date(at) }
}

function toTaskResult(task: TaskExecutor, outcome: Outcome): TaskResult {
  return { task: label(task), ...toWaitResult(outcome) }
}
