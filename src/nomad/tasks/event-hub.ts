import { distinct, filter, Subject, take } from 'rxjs'
import { type Enforcement, shortfalls, type Supervisor } from '../../index.ts'
import { timestamp } from '../wire/time.ts'
import { factsOfEnd, newsOfEnd } from './end-news.ts'
import type { TaskRecord } from './record.ts'
import type { Task } from './task.ts'

/** Of one task and one plugin process: a task that tries every port would push all else out of its events. */
const maxEgressEvents = 10

/** What a task's events say beside Nomad's own. */
export type Notice = {
  readonly message: string
  readonly annotations: Readonly<Record<string, string>>
}

export type TaskEvent = Notice & {
  readonly task_id: string
  readonly alloc_id: string
  readonly task_name: string
  readonly timestamp: object
}

/** What happens to tasks beyond what Nomad tells of them itself; shown among an allocation's events. */
export class TaskEventHub {
  readonly events$ = new Subject<TaskEvent>()
  readonly #watched = new WeakSet<Task>()

  /** `recordOf` finds the task of a key; ends that nobody here has asked about are nobody's news. */
  watch(supervisor: Supervisor, recordOf: (key: string) => TaskRecord | undefined): void {
    supervisor.results$.subscribe(({ task, ...result }) => {
      const record = recordOf(task.key)
      if (record === undefined) return
      for (const message of newsOfEnd(result)) this.tell(record, message, factsOfEnd(result))
    })
  }

  /**
   * Limits and isolation that this host enforces less than in full: only where the agent's configuration
   * allows that at all.
   */
  tellShortfalls(record: TaskRecord, enforcement: readonly Enforcement[]): void {
    for (const { name, status, reason } of shortfalls(enforcement))
      this.tell(record, `${name} is ${status}: ${reason ?? 'unknown'}`, { enforcement: name })
  }

  /** Destinations that it was refused since then, each once. */
  watchEgress(task: Task, since: Date): void {
    const { network } = task.executor.command
    if (typeof network !== 'object' || !('allow' in network) || this.#watched.has(task)) return
    this.#watched.add(task)
    task.executor.egress$
      .pipe(
        filter(({ allowed, at }) => !allowed && at >= since),
        distinct(({ host, port }) => `${host}:${port}`),
        take(maxEgressEvents),
      )
      .subscribe({
        next: ({ host, port }) =>
          this.tell(task.record, `egress to ${host}:${port} was refused`, { egress: `${host}:${port}` }),
        error: () => {},
      })
  }

  tell(record: TaskRecord, message: string, annotations: Readonly<Record<string, string>> = {}): void {
    this.events$.next({
      task_id: record.id,
      alloc_id: record.allocId,
      task_name: record.name,
      timestamp: timestamp(new Date()),
      message,
      annotations,
    })
  }
}
