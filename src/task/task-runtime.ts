import type { InspectionEvent, Observer } from 'xstate'
import type { Resources, ShutdownOptions } from '../api.ts'
import type { ProvidedTaskMachine } from './provide.ts'
import type { TaskChanges } from './task-change.ts'
import type { UsageSweep } from './usage-sweep.ts'
import type { TaskProcess } from './task-process.ts'
import type { TaskServices } from './task-services.ts'

/** What all tasks of one supervisor share. `Task` is the executor's class, which this file need not know. */
export type TaskRuntime<Task> = TaskServices & {
  readonly strict: boolean
  readonly durable: boolean
  /** The user of tasks that name none; null: as the platform has it. */
  readonly user: 'own' | null
  /** Limits of tasks that do not name them. */
  readonly defaults: Resources | null
  /**
   * The FIFO by which tasks learn that this supervisor is gone. Made at first use; throws INVALID_STATE once
   * closed.
   */
  lifelinePath(): string
  /** Whether its tasks die with it unless told otherwise. */
  readonly orphans: 'keep' | 'kill'
  readonly shutdown: Required<ShutdownOptions>
  readonly machine: ProvidedTaskMachine
  /** The tasks whose actors may run, by key: where the machine's actors find their task. */
  readonly processes: Map<string, TaskProcess>
  /** Samples of all tasks that are watched. */
  readonly usage: UsageSweep
  /** Throws INVALID_STATE once the supervisor is closed: nothing may be started any more. */
  assertOpen(): void
  /** The executor that holds this task already, if one does. */
  find(key: string): Task | undefined
  readonly inspect: Observer<InspectionEvent> | ((event: InspectionEvent) => void) | undefined
  readonly changes: TaskChanges<Task>
}
