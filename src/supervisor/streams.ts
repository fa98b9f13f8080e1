import { Observable, Subject } from 'rxjs'
import type { Outcome, TaskState } from '../../machines/index.ts'
import type { HistoryEntry, WaitResult } from '../api.ts'
import type { KeepAlive } from '../spawn/keep-alive.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import type { TaskEvents } from '../task/task-runtime.ts'
import { toWaitResult } from '../task/wait-result.ts'
import { HeldWhileLive } from './held-while-live.ts'

export type TaskLabel = { key: string; name: string }
export type TaskResult = { task: TaskLabel } & WaitResult
export type TaskTransition = {
  task: TaskLabel
  from: TaskState
  to: TaskState
  /**
   * Position in this task's life: 1 for its first change of state, without gaps, going on after a restart. The same change always has the same
   * number. One that a supervisor published just before it was killed may be published again by the next: key and number say so.
   */
  sequence: number
  at: Date
}

export type TaskHistoryEntry = { task: TaskLabel } & HistoryEntry

/** What the supervisor does itself when something happens to a task. */
type Hooks = {
  started(task: TaskExecutor): void
  exited(): void
  destroyed(task: TaskExecutor): void
}

/** What the tasks of one supervisor do, as streams. */
export class TaskStreams {
  readonly #tasks: () => Iterable<TaskExecutor>
  readonly #results = new Subject<TaskResult>()
  readonly #transitions = new Subject<TaskTransition>()
  readonly #journal = new Subject<TaskHistoryEntry>()
  readonly #held: HeldWhileLive

  constructor(keepAlive: KeepAlive, tasks: () => Iterable<TaskExecutor>) {
    this.#tasks = tasks
    this.#held = new HeldWhileLive(keepAlive)
  }

  /** Nothing is kept for slow or absent subscribers: wait() still answers. */
  get results$(): Observable<TaskResult> {
    return this.#held.stream(
      new Observable<TaskResult>(subscriber => {
        for (const task of [...this.#tasks()])
          if (task.outcome !== null) subscriber.next(toTaskResult(task, task.outcome))
        return this.#results.subscribe(subscriber)
      }),
    )
  }

  get transitions$(): Observable<TaskTransition> {
    return this.#held.stream(this.#transitions)
  }

  /** Of each change of state once, whichever supervisor writes it, but for what two write in the same instant. */
  get journal$(): Observable<TaskHistoryEntry> {
    return this.#journal.asObservable()
  }

  /** What feeds the streams. */
  events({ started, exited, destroyed }: Hooks): TaskEvents<TaskExecutor> {
    return {
      started: task => {
        started(task)
        this.#held.begin(task.key)
      },
      transition: (task, { at, ...change }) => {
        this.#transitions.next({ task: label(task), ...change, at: new Date(at) })
        return this.#transitions.observed
      },
      recorded: (task, entry) => this.#journal.next({ task: label(task), ...entry }),
      exited: (task, outcome) => {
        this.#results.next(toTaskResult(task, outcome))
        this.#held.end(task.key)
        exited()
      },
      destroyed: task => {
        destroyed(task)
        this.#held.end(task.key)
      },
    }
  }

  complete(): void {
    this.#results.complete()
    this.#transitions.complete()
    this.#journal.complete()
  }
}

function label({ key, name }: TaskExecutor): TaskLabel {
  return { key, name }
}

function toTaskResult(task: TaskExecutor, outcome: Outcome): TaskResult {
  return { task: label(task), ...toWaitResult(outcome) }
}
