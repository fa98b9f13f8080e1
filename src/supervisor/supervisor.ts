import type { Observable } from 'rxjs'
import type { Executor, HistoryEntry, RunningTask, RunOptions, ShutdownOptions, WaitResult } from '../api.ts'
import { HoldfastError } from '../errors.ts'
import { bestPlatform } from '../platform/index.ts'
import type { PlatformName } from '../platform/port.ts'
import { KeepAlive } from '../spawn/keep-alive.ts'
import { parseArguments, parseRunOptions } from '../run/options.ts'
import { runningTask } from '../run/running-task.ts'
import { OwnUsers } from '../task/own-users/own-users.ts'
import { provideTaskMachine } from '../task/provide.ts'
import { setCommand } from '../task/set-command.ts'
import { StateDirectory } from '../task/task-directory.ts'
import type { TaskOptions } from '../task/task-draft.ts'
import { TaskExecutor } from '../task/task-executor.ts'
import { formatTaskId } from '../task/task-id.ts'
import type { TaskProcess } from '../task/task-process.ts'
import type { TaskRuntime } from '../task/task-runtime.ts'
import { UsageSweep } from '../task/usage-sweep.ts'
import type { OpenReport } from './open-all.ts'
import { allStopped } from './all-stopped.ts'
import { parseOptions, parsePrune, type SupervisorOptions } from './options.ts'
import { findHeld } from './find-held.ts'
import { Lifeline } from './lifeline.ts'
import { type PruneOptions, RetentionPasses } from './retention.ts'
import { Spawners } from './spawners.ts'
import { StoredTasks } from './stored-tasks.ts'
import { type TaskHistoryEntry, type TaskResult, TaskStreams, type TaskTransition } from './streams.ts'
import { type TasksUsage, usageOfAll } from './usage.ts'

/** Many tasks: owns them, streams what they do, stops them together, and finds them again after a restart. */
export class Supervisor {
  readonly #runtime: TaskRuntime<TaskExecutor>
  readonly #spawners: Spawners
  readonly #lifeline: Lifeline
  readonly #tasks = new Map<string, TaskExecutor>()
  readonly #stored: StoredTasks
  readonly #streams: TaskStreams
  readonly #retention: RetentionPasses | null
  #closed: Promise<void> | null = null

  /** Touches nothing yet. Throws INVALID_ARGUMENT. */
  constructor(options: SupervisorOptions = {}) {
    const { stateDir, keep, ownUsers, ...settings } = parseOptions(options)
    const keepAlive = new KeepAlive()
    const processes = new Map<string, TaskProcess>()
    this.#streams = new TaskStreams(keepAlive, () => this.#tasks.values())
    this.#retention = keep === null ? null : new RetentionPasses(() => this.#stored.removeBeyond(keep))
    this.#spawners = new Spawners(keepAlive)
    const state = new StateDirectory(stateDir)
    this.#lifeline = new Lifeline(state)
    this.#runtime = {
      ...settings,
      state,
      ownUsers: new OwnUsers(ownUsers),
      lifelinePath: () => this.#lifeline.fifo(),
      keepAlive,
      spawner: (platform, inside) => this.#spawners.get(platform, inside),
      machine: provideTaskMachine(processes),
      processes,
      usage: new UsageSweep(),
      assertOpen: () => this.#refuseIfClosed(),
      find: key => this.#tasks.get(key),
      inspect: settings.inspect,
      changes: this.#streams,
    }
    this.#stored = new StoredTasks(this.#runtime, this.#tasks, platform => this.executor(platform))
    this.#streams.of('started').subscribe(({ task }) => this.#tasks.set(task.key, task))
    this.#streams.of('destroyed').subscribe(({ task }) => this.#tasks.delete(task.key))
    this.#streams.of('exited').subscribe(() => this.#retention?.ask())
  }

  get stateDir(): string {
    return this.#runtime.state.path
  }

  /** An executor on the platform's best adapter, with its command set. */
  command(name: string, ...args: string[]): Executor {
    const executor = this.executor()
    setCommand(executor, name, args)
    return executor
  }

  /**
   * Runs a program as a task of its own, by the platform's best adapter: a promise of its result and its
   * output. The task is destroyed at its end.
   * Throws INVALID_ARGUMENT for options that are none; a failed start rejects with its HoldfastError.
   */
  run(name: string, args: readonly string[] = [], options: RunOptions = {}): RunningTask {
    const parsed = parseRunOptions(options)
    const task = this.executor(undefined, parsed.executor)
    Object.assign(task.command, parsed.command)
    setCommand(task, name, parseArguments(args))
    return runningTask(task, parsed)
  }

  /**
   * An executor without a command; `platform` calls for an adapter by its name, `orphans` whether the task
   * outlives this supervisor.
   */
  executor(platform?: PlatformName, options: Omit<TaskOptions, 'byName'> = {}): TaskExecutor {
    this.#refuseIfClosed()
    const byName = platform !== undefined
    return new TaskExecutor(this.#runtime, platform ?? bestPlatform(), { ...options, byName })
  }

  /** Takes over one task by its id. Rejects NOT_FOUND, STATE_CORRUPT, INVALID_ARGUMENT. */
  async open(id: string): Promise<Executor> {
    const task = await this.#stored.open(id)
    this.#retention?.ask()
    return task
  }

  /** The same by the task's key, for those who keep keys. Rejects NOT_FOUND, STATE_CORRUPT. */
  async openKey(key: string): Promise<Executor> {
    return this.open(formatTaskId(this.stateDir, key))
  }

  /**
   * Takes over every task in the state directory. One that cannot be used stops no other: it is in
   * `quarantined`. Called again it takes over what others have started since, and lets go of what it had
   * taken over and others have removed.
   */
  async openAll(): Promise<OpenReport> {
    this.#refuseIfClosed()
    const report = await this.#stored.openAll()
    this.#retention?.ask()
    return report
  }

  /**
   * Removes ended tasks of the state directory, as destroy() does, and says which: those beyond the `count`
   * newest, those that ended more than `ageMs` ago, all of them when neither is given. With `dryRun` it only
   * says which. Rejects INVALID_ARGUMENT, and LOST or PERMISSION naming what could not be removed when all
   * have been tried.
   */
  async prune(options: PruneOptions = {}): Promise<string[]> {
    const { dryRun = false, ...bounds } = parsePrune(options)
    await this.openAll()
    return this.#stored.removeBeyond(bounds, dryRun)
  }

  /**
   * Kills and removes a task of the state directory by its key, also one that openAll() has quarantined: its
   * records and FIFOs are enough for that. Idempotent. Rejects LOST, naming the survivors, and then removes
   * nothing.
   */
  async discard(key: string): Promise<void> {
    this.#refuseIfClosed()
    await this.#stored.discard(key)
  }

  /** Started and opened tasks by key, until they are destroyed. */
  get tasks(): ReadonlyMap<string, Executor> {
    return this.#tasks
  }

  /** Of `tasks`, that of this name or that passes: the newest that has not ended, else the newest. */
  find(which: string | ((task: Executor) => boolean)): Executor | undefined {
    return findHeld(this.#tasks.values(), which)
  }

  /**
   * One result per task: first of those that have ended already and have not been destroyed, then each as it
   * comes. Completes with close().
   */
  get results$(): Observable<TaskResult> {
    return this.#streams.results$
  }

  /**
   * Every change of state of every task, as it comes. For a task taken over, first those that its earlier
   * supervisor was not there for, or was killed before it could write down that they were published:
   * subscribe before open() and openAll().
   */
  get transitions$(): Observable<TaskTransition> {
    return this.#streams.transitions$
  }

  /**
   * What all tasks use that run, now and every `intervalMs` (10 to 2147483647): one sweep a tick, shared by
   * all who want it equally often, of files that stay open. A task that cannot be sampled is left out; its
   * `usage()` says why. Keeps the program running while somebody subscribes, and completes with close().
   * Throws INVALID_ARGUMENT.
   */
  usage$(intervalMs = 1000): Observable<TasksUsage> {
    return usageOfAll(this.#tasks, this.#runtime, this.#streams, intervalMs)
  }

  /**
   * What goes into the journals of the tasks, as it comes, the decisions about destinations (`EGRESS`) with
   * it. To subscribe marks nothing as published, and keeps no program running.
   */
  get journal$(): Observable<TaskHistoryEntry> {
    return this.#streams.journal$
  }

  /**
   * The journal of a task of the state directory, in order, each change of state once. It is for people and
   * replay: a line may be missing after a full disk. Rejects NOT_FOUND, INVALID_ARGUMENT.
   */
  async history(key: string): Promise<HistoryEntry[]> {
    return this.#stored.history(key)
  }

  /** How often the spawner of this supervisor has died and was started anew. */
  get spawnerRestarts(): number {
    return this.#spawners.restarts
  }

  /**
   * Stops all tasks that run, in parallel. Resolves when nothing of any is left; rejects LOST naming those of
   * which something is.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<WaitResult[]> {
    const running = [...this.#tasks.values()].filter(task => task.outcome === null)
    return await allStopped(running.map(task => task.shutdown(options)))
  }

  /**
   * Detaches: tasks keep running, streams complete, pending calls are told. Tasks it has started under
   * `orphans: 'kill'` are killed first, and their results told. Idempotent. Rejects LOST naming the
   * survivors, if there are any, having let go of everything all the same.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const dying = [...this.#tasks.values()].filter(
      ({ held, outcome }) => outcome === null && this.#lifeline.owns(held.owner),
    )
    this.#lifeline.close()
    // Their shims are at it already; this waits for the end, and reaches one that was stopped while it
    // started.
    const ends = dying.length === 0 ? [] : await Promise.allSettled(dying.map(task => task.forceStop()))
    await this.#retention?.idle()
    for (const task of this.#tasks.values()) task.held.flush()
    // Only now: a stopped machine has nothing left to be stored.
    for (const task of this.#tasks.values()) task.held.detach()
    this.#tasks.clear()
    this.#streams.complete()
    await this.#spawners.close()
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  #refuseIfClosed(): void {
    if (this.#closed !== null) throw new HoldfastError('INVALID_STATE', 'the supervisor is closed')
  }
}
