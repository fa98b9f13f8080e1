import type { HistoryEntry } from '../api.ts'
import { invalidArgument } from '../invalid-argument.ts'
import type { PlatformName } from '../platform/port.ts'
import { discardTask } from '../task/discard.ts'
import { readHistory } from '../task/journal.ts'
import type { TaskExecutor } from '../task/task-executor.ts'
import { isTaskKey, parseTaskId } from '../task/task-id.ts'
import type { TaskRuntime } from '../task/task-runtime.ts'
import { openAll, type OpenReport } from './open-all.ts'
import { endedBeyond, removeTasks, type Retention } from './retention.ts'

/** The tasks of a state directory, whether its supervisor holds them yet or not. */
export class StoredTasks {
  readonly #runtime: TaskRuntime<TaskExecutor>
  readonly #held: ReadonlyMap<string, TaskExecutor>
  readonly #make: (platform: PlatformName) => TaskExecutor

  /** `make`: an executor without a command. */
  constructor(
    runtime: TaskRuntime<TaskExecutor>,
    held: ReadonlyMap<string, TaskExecutor>,
    make: (platform: PlatformName) => TaskExecutor,
  ) {
    this.#runtime = runtime
    this.#held = held
    this.#make = make
  }

  /** Takes over one by its id. Rejects NOT_FOUND, STATE_CORRUPT, INVALID_ARGUMENT. */
  async open(id: string): Promise<TaskExecutor> {
    const { key } = parseTaskId(id)
    const held = this.#held.get(key)
    if (held !== undefined) return held
    const executor = this.#make(platformOfStored)
    await executor.open(id)
    return executor
  }

  /** Takes over all, and lets go of those that others have removed. */
  openAll(): Promise<OpenReport> {
    return openAll(
      this.#runtime.state,
      key => this.#held.get(key),
      () => this.#make(platformOfStored),
      listed => this.#letGoOfRemoved(listed),
    )
  }

  /** Removes those that have ended and are held, beyond these bounds, and says which. */
  async removeBeyond(bounds: Retention, dryRun = false): Promise<string[]> {
    const beyond = endedBeyond(this.#held, bounds)
    return dryRun ? beyond.map(({ key }) => key) : await removeTasks(beyond)
  }

  /** Kills and removes one, also one that cannot be opened. Rejects LOST, INVALID_ARGUMENT. */
  async discard(key: string): Promise<void> {
    if (typeof key !== 'string') throw invalidArgument('key', key, "a task's key")
    const held = this.#held.get(key)
    if (held !== undefined) return held.destroy()
    await discardTask(this.#runtime, key)
  }

  /** The journal of one. Throws NOT_FOUND, INVALID_ARGUMENT. */
  history(key: string): HistoryEntry[] {
    if (!isTaskKey(key)) throw invalidArgument('key', key, "a task's key")
    const held = this.#runtime.processes.get(key)
    if (held !== undefined) return held.file.journal.read()
    // For the error it throws where there is no such task.
    this.#runtime.state.read(key)
    return readHistory(this.#runtime.state.taskDirectory(key))
  }

  /** A task of its own that was never on disk is in no list either, and stays. */
  #letGoOfRemoved(listed: ReadonlySet<string>): void {
    for (const [key, task] of this.#held)
      if (task.held.takenOver && task.outcome !== null && !listed.has(key)) task.held.letGo()
  }
}

/**
 * What an opened task runs on is stored with it; to look for the best there is would take longer than to open
 * it.
 */
const platformOfStored: PlatformName = 'basic'
