import type { Readable } from 'node:stream'
import { Observable } from 'rxjs'
import type { AnyActorRef } from 'xstate'
import {
  type Call,
  decide,
  type Outcome,
  type Phase,
  phaseOf,
  refusal,
  type TaskContext,
  type TaskState,
} from '../../machines/index.ts'
import { AllocDir } from '../alloc/alloc-dir.ts'
import type * as api from '../api.ts'
import { namingHostPaths } from '../command/only-on-host.ts'
import { parseResources, parseTerminalSize } from '../command/validate.ts'
import { HoldfastError } from '../errors.ts'
import type { PlatformName, TaskPaths } from '../platform/port.ts'
import { bootClockStepMs } from '../spawn/boot-clock.ts'
import { thisInstant, untilEnded, untilLaunched, untilStopped } from './awaited-ends.ts'
import { checkLogOptions, checkStream, parseShutdownOptions } from './call-options.ts'
import { destroyed, detached, noCommand, otherStateDir } from './call-refusals.ts'
import { withCpuPercent } from './cpu-percent.ts'
import { fault } from './fault.ts'
import { bare } from './history-entry.ts'
import { inputFailure } from './input-failure.ts'
import { logStream } from './log-stream.ts'
import { type OutputSource, outputStream, readBytes } from './output-stream.ts'
import { type Streamed, streamed } from './pulled.ts'
import { rehydrate } from './rehydrate.ts'
import { execCommand } from './running/exec.ts'
import { setCommand } from './set-command.ts'
import { signalNumber } from './signals.ts'
import { draftStart, type ExecHost, startSpec, type TaskSettings } from './start-request.ts'
import { startSignal, startUnder } from './start-signal.ts'
import type { TaskInput } from './stdin-feed.ts'
import { type Restored, TaskActor } from './task-actor.ts'
import { formatTaskId, newTaskKey, parseTaskId } from './task-id.ts'
import { defaultTaskName } from './task-name.ts'
import { taskOutput } from './task-output.ts'
import { type Origin, TaskProcess } from './task-process.ts'
import type { TaskRuntime } from './task-runtime.ts'
import type { TaskSpec } from './task-spec.ts'
import { TransitionLog } from './transition-log.ts'
import { toWaitResult } from './wait-result.ts'

export type TaskOptions = {
  /** What becomes of the task when its supervisor ends. Default: as the supervisor's own option says. */
  readonly orphans?: 'keep' | 'kill'
  /** Refuse to start rather than weaken anything. Default: as the supervisor's own option says. */
  readonly strict?: boolean
  /** Limits that it does not name and gets where this host can enforce them; elsewhere `enforcement` says that they are not there. */
  readonly preferred?: api.Resources
  /** The platform was called for by its name, and is not just the best there is. Default false. */
  readonly byName?: boolean
}

/** The task that another is to run inside of; asked when that one is started. Throws INVALID_STATE when it does not run. */
type AskHost = () => ExecHost

/** The Executor face of one task: checks what is asked, tells the machine, waits for what it says. */
export class TaskExecutor implements api.Executor {
  readonly command: api.Command = { path: '', args: [], env: {} }
  readonly #runtime: TaskRuntime<TaskExecutor>
  readonly #askHost: AskHost | null
  #settings: TaskSettings
  #key: string | null = null
  #actor: TaskActor
  #log: TransitionLog
  #process: TaskProcess | null = null
  #lastUsage: api.Usage | null = null
  #destroyed: Promise<void> | null = null
  /** A start that is still making its directories, of which the machine knows nothing yet. */
  #building: Promise<unknown> | null = null

  constructor(
    runtime: TaskRuntime<TaskExecutor>,
    platform: PlatformName,
    { orphans = runtime.orphans, strict = runtime.strict, byName = false, preferred }: TaskOptions = {},
    askHost: AskHost | null = null,
  ) {
    this.#runtime = runtime
    this.#askHost = askHost
    const given = { name: null, resources: null, alloc: null }
    const limits = preferred === undefined ? null : parseResources(preferred)
    this.#settings = { ...given, platform, byName, orphans, strict, preferred: limits }
    this.#log = this.#newLog()
    this.#actor = this.#newActor()
  }

  // --- before the start ---

  async limit(resources: api.Resources): Promise<void> {
    this.#allow('limit')
    this.#settings = { ...this.#settings, resources: parseResources(resources) }
    this.#actor.live().send({ type: 'LIMIT' })
  }

  async configureTaskDir(taskName: string, alloc: AllocDir): Promise<void> {
    this.#allow('configureTaskDir')
    if (this.#askHost !== null) {
      throw new HoldfastError(
        'INVALID_STATE',
        'configureTaskDir() is refused: it runs in the directory of its task',
      )
    }
    if (!(alloc instanceof AllocDir))
      throw new HoldfastError('INVALID_ARGUMENT', `alloc: got ${typeof alloc}, takes an AllocDir`)
    this.#settings = { ...this.#settings, alloc: alloc.taskPaths(taskName) }
    this.named(taskName)
  }

  /** Gives the task its name, as configureTaskDir does. */
  named(name: string): void {
    this.#settings = { ...this.#settings, name }
    this.#actor.live().send({ type: 'CONFIGURE', name })
  }

  async start(options: api.StartOptions = {}): Promise<void> {
    const signal = startSignal(options)
    this.#allow('start')
    this.#refuseIfDestroyed()
    this.#runtime.assertOpen()
    if (this.command.path === '') throw noCommand()
    this.#log.startAsked()
    fault('start-asked')
    const draft = draftStart(this.command, this.#settings.name, this.#askHost?.() ?? null)
    const owner = this.#settings.orphans === 'kill' ? this.#runtime.ownerFifo() : null
    const made =
      draft.host?.alloc ?? this.#settings.alloc ?? this.#runtime.state.buildAlloc(this.key, draft.name)
    // Usually made at once: then nobody gets a turn before the machine knows of the start.
    const alloc = made instanceof Promise ? await this.#awaited(made, draft.name) : made
    Object.assign(this.command, draft.command)
    Object.freeze(this.command)
    const spec = startSpec(this.key, draft, this.#settings, this.#runtime, { alloc, owner })
    this.#hold(this.#newProcess(spec, { by: 'us', input: this.#inputOf(draft.input) }))
    if (this.#settings.name === null) this.named(draft.name)
    this.#runtime.events.started(this)
    if (this.state === 'limited') this.#log.note('limited', 'START')
    this.#actor.live().send({ type: 'START', key: this.key, at: Date.now() })
    const launched = untilLaunched(this.#actor).catch((error: unknown) => {
      throw this.#settings.platform === 'linux' && draft.host === null
        ? namingHostPaths(error, draft.command)
        : error
    })
    if (signal === null) return launched
    await startUnder(
      signal,
      launched,
      () => this.shutdown(),
      heard => this.#actor.onEnd(heard),
    )
  }

  async #awaited(building: Promise<TaskPaths>, name: string): Promise<TaskPaths> {
    this.#building = building.catch(() => {})
    const paths = await building
    if (this.#destroyed !== null) await this.#runtime.state.removeAlloc(this.key, name)
    this.#refuseIfDestroyed()
    this.#allow('start')
    return paths
  }

  async open(id: string): Promise<void> {
    this.#allow('open')
    const { stateDir, key } = parseTaskId(id)
    if (stateDir !== this.#runtime.state.path) throw otherStateDir(stateDir, this.#runtime.state.path)
    await this.reopen(key)
  }

  /** open() by key. Rejects NOT_FOUND, STATE_CORRUPT. */
  async reopen(key: string): Promise<void> {
    this.#allow('open')
    const held = this.#runtime.find(key)
    if (held !== undefined) return this.#share(held)
    const stored = await rehydrate(this.#runtime, key)
    // Somebody else of this supervisor was quicker: two actors of one task would both act for it.
    const quicker = this.#runtime.find(key)
    if (quicker !== undefined) return this.#share(quicker)
    this.#actor.stop()
    this.#actor = this.#newActor(stored)
    this.#describe(stored.spec)
    this.#hold(this.#newProcess(stored.spec, { by: 'another' }), stored.delivered)
    this.#runtime.events.started(this)
    if (stored.final) this.#log.moved(stored.snapshot, true)
    else {
      const actor = this.#actor.live()
      for (const event of stored.events) actor.send(event)
    }
    if (this.outcome !== null) this.#log.report(this.outcome)
    // Taken over in the middle of its launch: its id is good for signals and limits once that is settled.
    if (!stored.final) await this.#actor.until(snapshot => phaseOf(snapshot) !== 'launching')
  }

  // --- the running task ---

  id(): string {
    this.#allow('id')
    return formatTaskId(this.#runtime.state.path, this.key)
  }

  get key(): string {
    this.#key ??= newTaskKey()
    return this.#key
  }

  get name(): string {
    // Before the start it has none of its own yet: its changes of state are published by the name that it will get.
    const own = this.#settings.name ?? this.context.name
    return own || (this.command.name ?? defaultTaskName(this.command.path))
  }

  async wait(): Promise<api.WaitResult> {
    this.#allow('wait')
    return toWaitResult(await untilEnded(this.#actor))
  }

  async shutdown(options: api.ShutdownOptions = {}): Promise<api.WaitResult> {
    const { signal, graceMs, target } = parseShutdownOptions(options, this.#runtime.shutdown)
    if (this.#allow('shutdown')) {
      if (this.state === 'stopping') this.#log.note('stopping', 'STOP', { signal, graceMs })
      const instant = thisInstant(graceMs > 0 ? bootClockStepMs : 0)
      const whom = target === 'leader' ? { target } : {}
      this.#actor.live().send({ type: 'STOP', signal, graceMs, ...instant, ...whom })
    }
    return untilStopped(this.#actor)
  }

  async forceStop(): Promise<api.WaitResult> {
    if (this.#allow('forceStop')) {
      if (this.state === 'stopping') this.#log.note('stopping', 'KILL', { signal: 'SIGKILL' })
      this.#actor.live().send({ type: 'KILL', ...thisInstant() })
    }
    return untilStopped(this.#actor)
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    signalNumber(signal)
    this.#allow('signal')
    this.#process?.signal(signal)
    this.#log.note(this.state, 'SIGNAL', { signal })
  }

  async resize(size: api.TerminalSize): Promise<void> {
    const { rows, columns } = parseTerminalSize(size)
    this.#allow('signal')
    this.#process?.resize(rows, columns)
  }

  async update(resources: api.Resources): Promise<void> {
    this.#allow('update')
    await this.#held().limits.update(parseResources(resources))
  }

  exec(name: string, ...args: string[]): api.Executor {
    this.#allow('exec')
    this.#runtime.assertOpen()
    const askHost: AskHost = () => {
      this.#allow('exec')
      const { alloc, command } = this.#held().spec.request
      return { task: this.#held().execTarget(), alloc, command }
    }
    const { platform, orphans, strict, byName } = this.#settings
    const inner = new TaskExecutor(this.#runtime, platform, { orphans, strict, byName }, askHost)
    Object.assign(inner.command, execCommand(this.command))
    setCommand(inner, name, args)
    return inner
  }

  async usage(): Promise<api.Usage> {
    this.#allow('usage')
    const sample = withCpuPercent(await this.#held().usage.sample(), this.#lastUsage)
    this.#lastUsage = sample
    return sample
  }

  usage$(intervalMs = 1000): Observable<api.Usage> {
    const samples = this.#runtime.usage.stream(this, intervalMs)
    return new Observable(subscriber => {
      subscriber.add(this.#process?.usage.watch())
      return samples.subscribe(subscriber)
    })
  }

  logs$(stream: 'stdout' | 'stderr', options: api.LogOptions = {}): Streamed<Uint8Array> {
    checkStream('logs$', stream)
    checkLogOptions('logs$', options)
    this.#allow('logs$')
    const source = this.#output()
    const { log, ...rest } = source
    if (options.since !== undefined) return streamed(() => readBytes(source, options, stream))
    return logStream({ ...rest, target: () => log(stream).target, files: () => log(stream).files }, options)
  }

  output$(options: api.LogOptions = {}): Streamed<api.OutputChunk> {
    checkLogOptions('output$', options)
    this.#allow('logs$')
    return outputStream(this.#output(), options)
  }

  #output(): OutputSource {
    return taskOutput(this.#held(), this.#actor, this.#runtime)
  }

  get state(): TaskState {
    return this.#actor.snapshot().value
  }

  get state$(): Observable<TaskState> {
    return this.#actor.states$()
  }

  get enforcement(): readonly api.Enforcement[] {
    return this.#process?.limits.enforcement ?? []
  }

  get actor(): AnyActorRef {
    return this.#actor.live()
  }

  /** What the machine knows of the task, without an actor for one that has ended. */
  get context(): TaskContext {
    return this.#actor.snapshot().context
  }

  /** The outcome, once there is one. */
  get outcome(): Outcome | null {
    return this.context.outcome
  }

  /** Started by another supervisor. */
  get takenOver(): boolean {
    return this.#process?.adopted ?? false
  }

  /** The FIFO of the supervisor that this task does not outlive, or null. */
  get owner(): string | null {
    return this.#process?.spec.request.owner ?? null
  }

  // --- the end ---

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy().catch(error => {
      // What failed may be mended: the next call tries again.
      this.#destroyed = null
      throw error
    })
    return this.#destroyed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy()
  }

  async #destroy(): Promise<void> {
    await this.#building
    const phase = this.#phase()
    if (phase === 'launching' || phase === 'running' || phase === 'stopping') await this.forceStop()
    await this.#process?.remove()
    this.letGo()
  }

  /** Lets go of the task without touching it. Waiting callers are told. */
  detach(): void {
    this.#actor.stop()
    this.#process?.endInput()
    this.#runtime.processes.delete(this.key)
  }

  /** Of a task that has been removed. */
  letGo(): void {
    this.detach()
    this.#runtime.events.destroyed(this)
  }

  /** Writes what is still to be written of the snapshot. */
  flush(): void {
    this.#process?.file.flush()
  }

  // --- its parts ---

  #newLog(): TransitionLog {
    const { events } = this.#runtime
    return new TransitionLog({
      transition: change => events.transition(this, change),
      recorded: entry => events.recorded(this, entry),
      exited: outcome => events.exited(this, this.#actor.told(outcome)),
    })
  }

  #newActor(stored: Restored | null = null): TaskActor {
    return new TaskActor(this.#runtime, snapshot => this.#log.moved(snapshot), stored)
  }

  #newProcess(spec: TaskSpec, origin: Origin): TaskProcess {
    const view = { snapshot: () => this.#actor.persisted(), delivered: () => this.#log.delivered }
    return new TaskProcess(this.#runtime, spec, view, origin)
  }

  /** Half of its input must not pass for all of it: the task is stopped before it can see an end. */
  #inputOf(stream: Readable | null): TaskInput | null {
    if (stream === null) return null
    const failed = (error: Error): void => {
      if (this.#actor.inputFailure !== null || this.outcome !== null) return
      this.#actor.inputFailure = inputFailure(error)
      this.#log.note(this.state, 'input failed', { failure: bare(this.#actor.inputFailure) })
      this.shutdown().catch(() => {})
    }
    return { stream, failed }
  }

  #hold(process: TaskProcess, delivered = 0): void {
    this.#process = process
    this.#runtime.processes.set(this.key, process)
    this.#log.begin(process, delivered)
  }

  /** A second executor of a task that this supervisor holds already: one actor, two faces. */
  #share(other: TaskExecutor): void {
    this.#actor.stop()
    this.#actor = other.#actor
    this.#log = other.#log
    this.#process = other.#held()
    this.#describe(this.#process.spec)
  }

  #describe({ request }: TaskSpec): void {
    const { key, name, platform, byName = false, resources } = request
    this.#key = key
    this.#settings = { ...this.#settings, name, platform, byName, resources }
    Object.assign(this.command, request.command)
    Object.freeze(this.command)
  }

  #held(): TaskProcess {
    if (this.#process === null) throw new HoldfastError('INVALID_STATE', 'the task has not been started')
    return this.#process
  }

  #phase(): Phase {
    return phaseOf(this.#actor.snapshot())
  }

  /** True: do it. False: nothing to do any more. Throws INVALID_STATE for what is refused. */
  #allow(call: Call): boolean {
    const phase = this.#phase()
    const decision = decide(phase, call)
    if (decision === 'refused') throw new HoldfastError('INVALID_STATE', refusal(phase, call))
    // Its id is still good, for another supervisor.
    if (call !== 'id' && this.#actor.isStopped)
      throw this.#destroyed === null ? detached(undefined) : destroyed(call)
    return decision === 'allowed'
  }

  #refuseIfDestroyed(): void {
    if (this.#destroyed !== null) throw destroyed('start')
  }
}
