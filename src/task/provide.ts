import { fromCallback, fromPromise } from 'xstate'
import {
  type LaunchInput,
  type LaunchOutput,
  type Outcome,
  type StartRecord,
  type StopInput,
  type StopRequest,
  type TaskEvent,
  taskMachine,
  type WatchInput,
} from '../../machines/index.ts'

/** What one task does on behalf of its machine. All three are called again when a snapshot is restored. */
export interface TaskEffects {
  /** `abandoned` before anything was asked for: nothing may be started. */
  launch(abandoned: AbortSignal): Promise<StartRecord>
  /**
   * Reports once, with the stop that somebody else had asked for; returns the way to let go of the task
   * without touching it.
   */
  watch(report: (outcome: Outcome, stop?: StopRequest | null) => void): () => void
  /** `abandoned` means let go, never kill. */
  stop(request: StopInput, abandoned: AbortSignal): Promise<void>
}

/**
 * The task machine with its effects. Provided once per supervisor, not per task (building a machine costs
 * more than running one), so the actors find their task by the key in their input, which is also what
 * survives in a snapshot.
 */
export function provideTaskMachine(tasks: ReadonlyMap<string, TaskEffects>) {
  const find = (key: string): TaskEffects => {
    const found = tasks.get(key)
    if (found === undefined) throw new Error(`task ${key} is not held by this supervisor`)
    return found
  }
  return taskMachine.provide({
    actors: {
      launch: fromPromise<LaunchOutput, LaunchInput>(async ({ input, signal }) => ({
        start: await find(input.key).launch(signal),
      })),
      watch: fromCallback<TaskEvent, WatchInput>(({ input, sendBack }) =>
        find(input.key).watch((outcome, stop = null) =>
          sendBack({ type: 'EXITED', outcome, stop, at: Date.now() }),
        ),
      ),
      stop: fromPromise<void, StopInput>(({ input, signal }) => find(input.key).stop(input, signal)),
    },
  })
}

export type ProvidedTaskMachine = ReturnType<typeof provideTaskMachine>
