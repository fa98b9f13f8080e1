import type { Outcome } from '../../machines/index.ts'
import type { HistoryEntry } from '../api.ts'
import type { Change } from './history-entry.ts'

/** What happens to a task, as the supervisor that holds it is told. */
export type TaskChange<Task> =
  /** It is on disk, or is about to be. */
  | { readonly type: 'started'; readonly task: Task }
  | { readonly type: 'transition'; readonly task: Task; readonly change: Change & { readonly at: number } }
  /** Something new in its journal. */
  | { readonly type: 'recorded'; readonly task: Task; readonly entry: HistoryEntry }
  | { readonly type: 'exited'; readonly task: Task; readonly outcome: Outcome }
  /** It is in no list any more: removed, or let go of because it was. */
  | { readonly type: 'destroyed'; readonly task: Task }

/** Where the changes of all tasks of one supervisor go. */
export type TaskChanges<Task> = {
  publish(change: TaskChange<Task>): void
  /** Whether somebody is there to hear of transitions. */
  readonly areHeard: boolean
}
