import { HoldfastError, type Executor } from '../../index.ts'
import { TaskNotFound } from '../wire/errors.ts'
import type { HandleState } from './handle-state.ts'
import { NetworkFiles } from './network-files.ts'
import { type TaskRecord, TaskRecords } from './record.ts'
import type { Supervisors } from './supervisors.ts'
import type { Task } from './task.ts'

/**
 * The tasks this process holds, by Nomad's id. A cache: what is not in it is looked up in the records, so
 * that a call for any task works in any plugin process at any time.
 */
export class TaskTable {
  readonly #supervisors: Supervisors
  readonly #stateDir: () => string
  readonly #tasks = new Map<string, Task>()

  constructor(supervisors: Supervisors, stateDir: () => string) {
    this.#supervisors = supervisors
    this.#stateDir = stateDir
  }

  add(task: Task): void {
    this.#tasks.set(task.record.id, task)
  }

  /** Of a key and the state directory it is in. */
  byKey(stateDir: string, key: string): Task | undefined {
    return [...this.#tasks.values()].find(task => task.record.key === key && task.stateDir === stateDir)
  }

  /** Throws TaskNotFound, in Nomad's words. */
  async get(id: string): Promise<Task> {
    const task = await this.find(id)
    if (task === null) throw new TaskNotFound()
    return task
  }

  /**
   * Takes the task over if this process does not hold it yet. Null: nobody has heard of it. Rejects where its
   * state cannot be used.
   */
  async find(id: string): Promise<Task | null> {
    const held = this.#tasks.get(id)
    if (held !== undefined) return held
    const record = this.#records().find(id)
    if (record === null) return null
    return this.#open(record, this.#stateDir())
  }

  /**
   * By what the agent has kept, where the records have nothing: the state directory may be another one now.
   */
  async adopt(id: string, { stateDir, key, startedAt }: HandleState): Promise<Task> {
    const held = this.#tasks.get(id)
    if (held !== undefined) return held
    const [allocId = '', name = ''] = id.split('/')
    const record = this.#records(stateDir).find(id) ?? { v: 1, id, key, allocId, name, startedAt }
    const task = await this.#open(record, stateDir)
    if (task === null) throw new TaskNotFound()
    return task
  }

  /**
   * Whatever there is of a task goes: processes, cgroups, records. Also of one whose state cannot be read.
   * Idempotent.
   */
  async remove(id: string): Promise<void> {
    const held = this.#tasks.get(id)
    const record = held?.record ?? this.#records().find(id)
    if (record === undefined || record === null) return
    await this.#discard(record, held?.stateDir ?? this.#stateDir(), held?.executor)
  }

  /**
   * Ends the starts of the same task of which the agent has never heard: its plugin was killed before it
   * could answer, and the agent asks again under another id. Two of one task must not run at once. Resolves
   * to their number.
   */
  async endForgotten(next: Pick<TaskRecord, 'id' | 'allocId' | 'name'>): Promise<number> {
    const stateDir = this.#stateDir()
    const earlier = this.#records()
      .of(next)
      .filter(({ id }) => id !== next.id)
    for (const record of earlier) await this.#discard(record, stateDir, this.#tasks.get(record.id)?.executor)
    return earlier.length
  }

  /** Null: its holdfast record is gone, so it was never started, or has been destroyed. */
  async #open(record: TaskRecord, stateDir: string): Promise<Task | null> {
    try {
      const executor = await this.#supervisors.at(stateDir).openKey(record.key)
      const existing = this.#tasks.get(record.id)
      if (existing !== undefined) return existing
      const task = { record, stateDir, executor }
      this.#tasks.set(record.id, task)
      return task
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'NOT_FOUND') return null
      throw error
    }
  }

  async #discard(record: TaskRecord, stateDir: string, executor: Executor | undefined): Promise<void> {
    if (executor !== undefined) await executor.destroy()
    else await this.#supervisors.at(stateDir).discard(record.key)
    new NetworkFiles(stateDir).remove(record.key)
    this.#records(stateDir).remove(record)
    this.#tasks.delete(record.id)
  }

  #records(stateDir = this.#stateDir()): TaskRecords {
    return new TaskRecords(stateDir)
  }
}
