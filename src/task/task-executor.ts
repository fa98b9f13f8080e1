import type { Writable } from 'node:stream'
import type { Observable } from 'rxjs'
import type { AnyActorRef } from 'xstate'
import { type Outcome, stateOf, type TaskContext, type TaskState } from '../../machines/index.ts'
import type { AllocDir } from '../alloc/alloc-dir.ts'
import type * as api from '../api.ts'
import { namingHostPaths } from '../command/only-on-host.ts'
import { parseTerminalSize, parseUpdate } from '../command/validate.ts'
import type { PlatformName } from '../platform/port.ts'
import { keyIn } from './call-refusals.ts'
import { failpoint } from './failpoint.ts'
import { HeldTask } from './held-task.ts'
import type { Streamed } from './pulled.ts'
import { rehydrate } from './rehydrate.ts'
import { setCommand } from './set-command.ts'
import { signalNumber } from './signals.ts'
import { startSignal } from './start-signal.ts'
import { type AskTarget, TaskDraft, type TaskOptions } from './task-draft.ts'
import { formatTaskId } from './task-id.ts'
import { TaskReading } from './task-reading.ts'
import type { TaskRuntime } from './task-runtime.ts'

/** The Executor face of one task: checks what is asked, tells the machine, waits for what it says. */
export class TaskExecutor implements api.Executor {
  readonly #runtime: TaskRuntime<TaskExecutor>
  readonly #draft: TaskDraft
  #task: HeldTask<TaskExecutor>
  readonly #reading: TaskReading

  constructor(
    runtime: TaskRuntime<TaskExecutor>,
    platform: PlatformName,
    options: TaskOptions = {},
    askTarget: AskTarget | null = null,
  ) {
    this.#runtime = runtime
    this.#draft = new TaskDraft(runtime, platform, options, askTarget)
    this.#task = new HeldTask(runtime, this)
    this.#reading = new TaskReading(runtime, () => this.#task)
  }

  get command(): api.Command {
    return this.#draft.command
  }

  get key(): string {
    return this.#draft.key
  }

  get name(): string {
    return this.#draft.name(this.context.name)
  }

  // --- before the start ---

  async limit(resources: api.Resources): Promise<void> {
    this.#task.allow('limit')
    this.#draft.limit(resources)
    this.#task.actor.live().send({ type: 'LIMIT' })
  }

  async configureTaskDir(taskName: string, alloc: AllocDir): Promise<void> {
    this.#task.allow('configureTaskDir')
    this.#draft.putInto(alloc, taskName)
    this.named(taskName)
  }

  /** Gives the task its name, as configureTaskDir does. */
  named(name: string): void {
    this.#draft.rename(name)
    this.#task.actor.live().send({ type: 'CONFIGURE', name })
  }

  async start(options?: api.StartOptions): Promise<void> {
    const signal = startSignal(options)
    this.#task.allow('start')
    this.#task.refuseIfDestroyed()
    this.#runtime.assertOpen()
    this.#draft.requireCommand()
    this.#task.log.startAsked()
    failpoint('start-asked')
    const asked = this.#draft.ask()
    const { name, input, secrets, command } = asked.draft
    // Usually made at once: then nobody gets a turn before the machine knows of the start.
    const alloc = asked.alloc instanceof Promise ? await this.#task.built(asked.alloc, name) : asked.alloc
    const spec = this.#draft.freeze(asked, alloc)
    this.#task.begin(spec, { by: 'us', input: this.#task.inputOf(input), secrets })
    await this.#task.launch(signal, this.#draft.takeName(name)).catch((error: unknown) => {
      throw this.#draft.hasOwnRoot ? namingHostPaths(error, command) : error
    })
  }

  async open(id: string): Promise<void> {
    this.#task.allow('open')
    await this.reopen(keyIn(this.#runtime.state.path, id))
  }

  /** open() by key. Rejects NOT_FOUND, STATE_CORRUPT. */
  async reopen(key: string): Promise<void> {
    this.#task.allow('open')
    const held = this.#runtime.find(key)
    if (held !== undefined) return this.#share(held)
    const stored = await rehydrate(this.#runtime, key)
    // Somebody else of this supervisor was quicker.
    const quicker = this.#runtime.find(key)
    if (quicker !== undefined) return this.#share(quicker)
    this.#task.actor.stop()
    const { snapshot, final } = stored
    this.#task = new HeldTask(this.#runtime, this, { snapshot, final })
    this.#draft.describe(stored.spec)
    await this.#task.resume(stored)
  }

  /** A second executor of a task that this supervisor holds already: one task, two faces. */
  #share(other: TaskExecutor): void {
    this.#task.actor.stop()
    this.#task = other.held
    this.#draft.describe(this.#task.requireProcess().spec)
  }

  // --- the running task ---

  id(): string {
    this.#task.allow('id')
    return formatTaskId(this.#runtime.state.path, this.key)
  }

  wait(): Promise<api.WaitResult> {
    return this.#task.wait()
  }

  shutdown(options: api.ShutdownOptions = {}): Promise<api.WaitResult> {
    return this.#task.shutdown(options)
  }

  forceStop(): Promise<api.WaitResult> {
    return this.#task.forceStop()
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    signalNumber(signal)
    this.#task.running('signal').signal(signal)
    this.#task.log.note(this.state, 'SIGNAL', { signal })
  }

  async resize(size: api.TerminalSize): Promise<void> {
    const { rows, columns } = parseTerminalSize(size)
    this.#task.running('resize').resize(rows, columns)
  }

  openInput(): Writable {
    return this.#task.running('openInput').openInput()
  }

  async endInput(): Promise<void> {
    this.#task.running('endInput').tellEnd()
  }

  async update(change: api.TaskUpdate): Promise<void> {
    const { limits } = this.#task.running('update')
    const { resources, rules } = parseUpdate(change)
    await limits.update(resources, rules)
  }

  exec(name: string, ...args: string[]): api.Executor {
    this.#task.allow('exec')
    this.#runtime.assertOpen()
    const { platform, options, command } = this.#draft.inherited
    const session = new TaskExecutor(this.#runtime, platform, options, () => this.#task.execTarget())
    Object.assign(session.command, command)
    setCommand(session, name, args)
    return session
  }

  usage(): Promise<api.Usage> {
    return this.#reading.usage()
  }

  usageDetail(): Promise<api.UsageDetail> {
    return this.#reading.usageDetail()
  }

  usage$(intervalMs = 1000): Observable<api.Usage> {
    return this.#reading.usage$(this.#runtime.usage.stream(this, intervalMs))
  }

  verify(): Promise<api.Verification> {
    return this.#reading.verify()
  }

  changes(): Promise<api.Change[]> {
    return this.#reading.changes()
  }

  patches(options: api.PatchOptions = {}): AsyncIterableIterator<api.FilePatch> {
    return this.#reading.patches(options)
  }

  apply(options: api.ApplyOptions = {}): Promise<api.Change[]> {
    return this.#reading.apply(options)
  }

  logs$(stream: 'stdout' | 'stderr', options: api.LogOptions = {}): Streamed<Uint8Array> {
    return this.#reading.logs$(stream, options)
  }

  output$(options: api.LogOptions = {}): Streamed<api.OutputChunk> {
    return this.#reading.output$(options)
  }

  get egress$(): Streamed<api.EgressDecision> {
    return this.#reading.egress$()
  }

  get state(): TaskState {
    return stateOf(this.#task.actor.snapshot())
  }

  get state$(): Observable<TaskState> {
    return this.#task.actor.states$()
  }

  get enforcement(): readonly api.Enforcement[] {
    return this.#task.process?.limits.enforcement ?? []
  }

  get actor(): AnyActorRef {
    return this.#task.actor.live()
  }

  get context(): TaskContext {
    return this.#task.actor.snapshot().context
  }

  get outcome(): Outcome | null {
    return this.context.outcome
  }

  get held(): HeldTask<TaskExecutor> {
    return this.#task
  }

  destroy(): Promise<void> {
    return this.#task.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy()
  }
}
