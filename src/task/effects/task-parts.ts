import type { Platform } from '../../platform/port.ts'
import type { StartRecords } from '../start-records.ts'
import type { TaskFile } from '../task-file.ts'
import type { TaskServices } from '../task-services.ts'

/** One task as its effects see it. */
export type TaskParts = {
  readonly services: TaskServices
  /** Its record directory. */
  readonly dir: string
  readonly file: TaskFile
  readonly records: StartRecords
  /** Decides about its start, and reads back what became of it. */
  readonly planner: Pick<Platform, 'plan' | 'inForce' | 'recorded'>
  /** Looks after its processes. */
  readonly keeper: Omit<Platform, 'plan' | 'inForce' | 'recorded'>
}
