import { Readable } from 'node:stream'
import { Observable } from 'rxjs'
import { type Actor, type AnyActorRef, createActor, waitFor } from 'xstate'
import {
  type BootTime,
  type Call,
  decide,
  type Outcome,
  type Phase,
  passedStates,
  phaseOf,
  refusal,
  restoreTask,
  type StoredSnapshot,
  type TaskContext,
  type TaskSnapshot,
  type TaskState,
} from '../../machines/index.ts'
import { AllocDir } from '../alloc/alloc-dir.ts'
import type {
  Command,
  Enforcement,
  Executor,
  HistoryEntry,
  LogOptions,
  OutputChunk,
  Resources,
  ShutdownOptions,
  StartOptions,
  TerminalSize,
  Usage,
  WaitResult,
} from '../api.ts'
import { parseCommand, parseResources, parseTerminalSize } from '../command/validate.ts'
import { fromFailure, HoldfastError } from '../errors.ts'
import { rotationOf } from '../platform/index.ts'
import type { HostTask, PlatformName, TaskPaths } from '../platform/port.ts'
import { bootClockStepMs, bootTime } from '../spawn/boot-clock.ts'
import { fault } from './fault.ts'
import { bare, type Change, changeEntry, noteEntry } from './history-entry.ts'
import { checkLogOptions, checkStream, parseShutdownOptions } from './call-options.ts'
import { guestCommand, refuseOtherIsolation } from './guest-command.ts'
import { logStream } from './log-stream.ts'
import { type OutputSource, type OutputStream, outputStream, readBytes } from './output-stream.ts'
import type { ProvidedTaskMachine } from './provide.ts'
import { type Streamed, streamed } from './pulled.ts'
import { type Rehydrated, rehydrate } from './rehydrate.ts'
import { setCommand } from './set-command.ts'
import { signalNumber } from './signals.ts'
import { startSignal, startUnder } from './start-signal.ts'
import { formatTaskId, newTaskKey, parseTaskId } from './task-id.ts'
import { defaultTaskName } from './task-name.ts'
import { TaskProcess } from './task-process.ts'
import type { TaskRuntime } from './task-runtime.ts'
import { withDefaults } from './default-limits.ts'
import { withCpuPercent } from './cpu-percent.ts'
import { toWaitResult } from './wait-result.ts'

export type TaskOptions = {
  /** What becomes of the task when its supervisor ends. Default: as the supervisor's own option says. */
  readonly orphans?: 'keep' | 'kill'
  /** Refuse to start rather than weaken anything. Default: as the supervisor's own option says. */
  readonly strict?: boolean
  /** Limits that it does not name and gets where this host can enforce them; elsewhere `enforcement` says that they are not there. */
  readonly preferred?: Resources
  /** The platform was called for by its name, and is not just the best there is. Default false. */
  readonly byName?: boolean
}

/** The task that another is to run inside of; asked when that one is started. Throws INVALID_STATE when it does not run. */
type Host = () => { readonly task: HostTask; readonly alloc: TaskPaths; readonly command: Readonly<Command> }

/** The Executor face of one task: checks what is asked, tells the machine, waits for what it says. */
export class TaskExecutor implements Executor {
  readonly command: Command = { path: '', args: [], env: {} }
  readonly #runtime: TaskRuntime<TaskExecutor>
  readonly #orphans: 'keep' | 'kill'
  readonly #preferred: Resources | null
  readonly #strict: boolean
  readonly #host: Host | null
  #platform: PlatformName
  #byName: boolean
  #key: string | null = null
  #name: string | null = null
  #resources: Resources | null = null
  #alloc: TaskPaths | null = null
  #process: TaskProcess | null = null
  /** Made when somebody needs it: a task that had ended when it was opened is no more than what was stored of it. */
  #actor: Actor<ProvidedTaskMachine> | null = null
  #stored: Rehydrated | null = null
  /** How many of its changes of state have been told, and the number of the last that needs no telling any more. */
  #told = 0
  #heard = 0
  /** What happened before there was a journal to write it to. */
  #early: HistoryEntry[] = []
  #askedAt: number | null = null
  #stopFailure: TaskContext['stopFailure'] = null
  #reported = false
  #lastUsage: Usage | null = null
  #destroyed: Promise<void> | null = null
  /** A start that is still making its directories, of which the machine knows nothing yet. */
  #building: Promise<unknown> | null = null

  constructor(
    runtime: TaskRuntime<TaskExecutor>,
    platform: PlatformName,
    { orphans = runtime.orphans, strict = runtime.strict, byName = false, preferred }: TaskOptions = {},
    host: Host | null = null,
  ) {
    this.#host = host
    this.#runtime = runtime
    this.#platform = platform
    this.#byName = byName
    this.#orphans = orphans
    this.#strict = strict
    this.#preferred = preferred === undefined ? null : parseResources(preferred)
  }

  // --- before the start ---

  async limit(resources: Resources): Promise<void> {
    this.#allow('limit')
    this.#resources = parseResources(resources)
    this.#live().send({ type: 'LIMIT' })
  }

  async configureTaskDir(taskName: string, alloc: AllocDir): Promise<void> {
    this.#allow('configureTaskDir')
    if (this.#host !== null) {
      throw new HoldfastError(
        'INVALID_STATE',
        'configureTaskDir() is refused: it runs in the directory of its task',
      )
    }
    if (!(alloc instanceof AllocDir))
      throw new HoldfastError('INVALID_ARGUMENT', `alloc: got ${typeof alloc}, takes an AllocDir`)
    this.#alloc = alloc.taskPaths(taskName)
    this.named(taskName)
  }

  /** Gives the task its name, as configureTaskDir does. */
  named(name: string): void {
    this.#name = name
    this.#live().send({ type: 'CONFIGURE', name })
  }

  async start(options: StartOptions = {}): Promise<void> {
    const signal = startSignal(options)
    this.#allow('start')
    this.#refuseIfDestroyed()
    this.#runtime.assertOpen()
    if (this.command.path === '') {
      throw new HoldfastError('INVALID_STATE', 'start() is refused: the executor has no command yet', {
        hint: 'Set one with setCommand(executor, name, args), or make the executor with command(name, ...args).',
      })
    }
    const { stdin } = this.command
    const input = stdin instanceof Readable ? stdin : null
    const command = parseCommand(input === null ? this.command : { ...this.command, stdin: undefined })
    this.#askedAt = performance.now()
    fault('start-asked')
    const host = this.#host?.() ?? null
    if (host !== null) refuseOtherIsolation(command, host.command)
    const program = defaultTaskName(command.path)
    const name = this.#name ?? command.name ?? (host === null ? program : `${host.task.name}.${program}`)
    // What runs inside of a task has that one's limits.
    const { resources, preferred } =
      host === null
        ? withDefaults(this.#resources, this.#runtime.defaults, this.#preferred)
        : { resources: this.#resources, preferred: [] }
    const owner = this.#orphans === 'kill' ? this.#runtime.ownerFifo() : null
    const made = host?.alloc ?? this.#alloc ?? this.#runtime.state.buildAlloc(this.key, name)
    // Usually made at once: then nobody gets a turn before the machine knows of the start.
    const alloc = made instanceof Promise ? await this.#awaited(made, name) : made
    Object.assign(this.command, command)
    Object.freeze(this.command)
    this.#adopt(
      new TaskProcess(this.#runtime, {
        request: {
          key: this.key,
          name,
          platform: this.#platform,
          byName: this.#byName,
          command,
          resources,
          ...(preferred.length > 0 && { preferred }),
          alloc,
          strict: this.#strict,
          durable: this.#runtime.durable,
          ...(input !== null && { fed: true }),
          owner,
          inside: host?.task ?? null,
          graceMs: this.#runtime.shutdown.graceMs,
        },
        enforcement: [],
        logs: noLogs,
        ownAlloc: host === null && this.#alloc === null,
        launchers: [],
      }),
    )
    this.#held().input = input
    if (this.#name === null) this.named(name)
    this.#runtime.events.started(this)
    if (this.state === 'limited') this.#note('START')
    this.#live().send({ type: 'START', key: this.key, at: Date.now() })
    if (signal === null) return this.#launched()
    await startUnder(
      signal,
      this.#launched(),
      () => this.shutdown(),
      heard => this.#live().subscribe({ complete: heard, error: heard }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy()
  }

  async #awaited(building: Promise<TaskPaths>, name: string): Promise<TaskPaths> {
    this.#building = building.catch(() => {})
    const paths = await building
    if (this.#destroyed !== null) await this.#runtime.state.removeAlloc(this.key, name)
    this.#refuseIfDestroyed()
    this.#allow('start')
    return paths
  }

  #refuseIfDestroyed(): void {
    if (this.#destroyed === null) return
    throw destroyed('start')
  }

  async open(id: string): Promise<void> {
    this.#allow('open')
    const { stateDir, key } = parseTaskId(id)
    if (stateDir !== this.#runtime.state.path) {
      throw new HoldfastError(
        'INVALID_ARGUMENT',
        `id: the task belongs to the state directory ${stateDir}, this executor to ${this.#runtime.state.path}`,
        {
          hint: 'Open it with openId(id), or through a Supervisor with that stateDir.',
        },
      )
    }
    await this.reopen(key)
  }

  /** open() by key. Rejects NOT_FOUND, STATE_CORRUPT. */
  async reopen(key: string): Promise<void> {
    this.#allow('open')
    const twin = this.#runtime.find(key)
    if (twin !== undefined) {
      this.#share(twin)
      return
    }
    const stored = await rehydrate(this.#runtime, key)
    // Somebody else of this supervisor was quicker: two actors of one task would both act for it.
    const quicker = this.#runtime.find(key)
    if (quicker !== undefined) {
      this.#share(quicker)
      return
    }
    this.#actor?.stop()
    this.#actor = null
    this.#stored = stored
    this.#describe(stored.process)
    this.#adopt(stored.process)
    this.#runtime.events.started(this)
    this.#told = this.#heard = stored.told
    if (stored.final) this.#moved(stored.snapshot)
    else {
      const actor = this.#live()
      for (const event of stored.events) actor.send(event)
    }
    if (this.outcome !== null) this.#report(this.outcome)
    if (stored.final) return
    // Taken over in the middle of its launch: its id is good for signals and limits once that is settled.
    await this.#until(snapshot => phaseOf(snapshot) !== 'launching')
  }

  /** A second executor of a task that this supervisor holds already: one actor, two faces. */
  #share(twin: TaskExecutor): void {
    this.#actor?.stop()
    this.#actor = twin.#live()
    this.#process = twin.#held()
    this.#describe(this.#process)
  }

  #describe({ spec: { request } }: TaskProcess): void {
    this.#key = request.key
    this.#name = request.name
    this.#platform = request.platform
    this.#byName = request.byName ?? false
    this.#resources = request.resources
    Object.assign(this.command, request.command)
    Object.freeze(this.command)
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
    // Before the start it has none of its own yet: its changes of state are told by the name that it will get.
    return this.#name ?? (this.context.name || (this.command.name ?? defaultTaskName(this.command.path)))
  }

  async wait(): Promise<WaitResult> {
    this.#allow('wait')
    return toWaitResult(await this.#end())
  }

  async shutdown(options: ShutdownOptions = {}): Promise<WaitResult> {
    const { signal, graceMs, target } = parseShutdownOptions(options, this.#runtime.shutdown)
    if (this.#allow('shutdown')) {
      if (this.state === 'stopping') this.#note('STOP', { signal, graceMs })
      this.#live().send({
        type: 'STOP',
        signal,
        graceMs,
        ...thisInstant(graceMs > 0 ? bootClockStepMs : 0),
        ...(target === 'leader' && { target }),
      })
    }
    return this.#stopped()
  }

  async forceStop(): Promise<WaitResult> {
    if (this.#allow('forceStop')) {
      if (this.state === 'stopping') this.#note('KILL', { signal: 'SIGKILL' })
      this.#live().send({ type: 'KILL', ...thisInstant() })
    }
    return this.#stopped()
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    signalNumber(signal)
    this.#allow('signal')
    this.#process?.signal(signal)
    this.#note('SIGNAL', { signal })
  }

  async resize(size: TerminalSize): Promise<void> {
    const { rows, columns } = parseTerminalSize(size)
    this.#allow('signal')
    this.#process?.resize(rows, columns)
  }

  async update(resources: Resources): Promise<void> {
    this.#allow('update')
    await this.#held().update(parseResources(resources))
  }

  exec(name: string, ...args: string[]): Executor {
    this.#allow('exec')
    this.#runtime.assertOpen()
    const host: Host = () => {
      this.#allow('exec')
      const { alloc, command } = this.#held().spec.request
      return { task: this.#held().asHost(), alloc, command }
    }
    const options = { orphans: this.#orphans, strict: this.#strict, byName: this.#byName }
    const guest = new TaskExecutor(this.#runtime, this.#platform, options, host)
    Object.assign(guest.command, guestCommand(this.command))
    setCommand(guest, name, args)
    return guest
  }

  async usage(): Promise<Usage> {
    this.#allow('usage')
    const sample = withCpuPercent(await this.#held().sample(), this.#lastUsage)
    this.#lastUsage = sample
    return sample
  }

  usage$(intervalMs = 1000): Observable<Usage> {
    const samples = this.#runtime.usage.stream(this, intervalMs)
    return new Observable(subscriber => {
      subscriber.add(this.#process?.watchUsage())
      return samples.subscribe(subscriber)
    })
  }

  logs$(stream: 'stdout' | 'stderr', options: LogOptions = {}): Streamed<Uint8Array> {
    checkStream('logs$', stream)
    checkLogOptions('logs$', options)
    this.#allow('logs$')
    const { log, ...source } = this.#outputSource()
    if (options.since !== undefined) return streamed(() => readBytes({ log, ...source }, options, stream))
    return logStream({ ...source, target: () => log(stream).target, files: () => log(stream).files }, options)
  }

  output$(options: LogOptions = {}): Streamed<OutputChunk> {
    checkLogOptions('output$', options)
    this.#allow('logs$')
    return outputStream(this.#outputSource(), options)
  }

  #outputSource(): OutputSource {
    const rotation = (stream: OutputStream) => rotationOf(this.#held().spec.request.command, stream)
    const actor = this.#live()
    return {
      log: stream => ({ target: this.#held().log(stream), files: rotation(stream)?.maxFiles ?? 1 }),
      dir: this.#runtime.state.taskDirectory(this.key),
      indexFiles: () => (rotation('stdout') ?? rotation('stderr'))?.maxFiles ?? 0,
      writing: () => actor.getSnapshot().status === 'active',
      onEnd: heard => {
        const subscription = actor.subscribe({ complete: heard, error: heard })
        return () => subscription.unsubscribe()
      },
      hold: () => this.#runtime.keepAlive.hold(),
    }
  }

  get state(): TaskState {
    return this.#snapshot().value
  }

  get state$(): Observable<TaskState> {
    return new Observable(subscriber => {
      const actor = this.#live()
      let told = this.#passed().length
      subscriber.next(this.state)
      const subscription = actor.subscribe({
        next: ({ value, context }) => {
          const passed = passedStates(value, context)
          for (const state of passed.slice(told)) subscriber.next(state)
          told = passed.length
        },
        error: error => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
      if (actor.getSnapshot().status !== 'active') subscriber.complete()
      return () => subscription.unsubscribe()
    })
  }

  get enforcement(): readonly Enforcement[] {
    return this.#process?.enforcement ?? []
  }

  get actor(): AnyActorRef {
    return this.#live()
  }

  /** What the machine knows of the task, without an actor for one that has ended. */
  get context(): TaskContext {
    return this.#snapshot().context
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

  /** Lets go of the task without touching it. Waiting callers are told. */
  detach(): void {
    this.#actor?.stop()
    this.#process?.endInput()
    this.#runtime.processes.delete(this.key)
  }

  /** Started by another supervisor. */
  get takenOver(): boolean {
    return this.#process?.adopted ?? false
  }

  /** Of a task that another process has removed. */
  letGo(): void {
    this.detach()
    this.#runtime.events.destroyed(this)
  }

  /** Writes what is still to be written of the snapshot. */
  flush(): void {
    this.#process?.flush()
  }

  /** The FIFO of the supervisor that this task does not outlive, or null. */
  get owner(): string | null {
    return this.#process?.spec.request.owner ?? null
  }

  /** The outcome, once there is one. */
  get outcome(): Outcome | null {
    return this.#snapshot().context.outcome
  }

  async #destroy(): Promise<void> {
    await this.#building
    const phase = this.#phase()
    if (phase === 'launching' || phase === 'running' || phase === 'stopping') await this.forceStop()
    await this.#process?.remove()
    this.detach()
    this.#runtime.events.destroyed(this)
  }

  #live(): Actor<ProvidedTaskMachine> {
    if (this.#actor === null) {
      // Assigned before it is started: its effects store its snapshot.
      this.#actor = this.#newActor(this.#stored)
      this.#stored = null
      this.#actor.start()
    }
    return this.#actor
  }

  #snapshot(): TaskSnapshot | StoredSnapshot {
    return this.#actor === null && this.#stored !== null ? this.#stored.snapshot : this.#live().getSnapshot()
  }

  #newActor(stored: Rehydrated | null): Actor<ProvidedTaskMachine> {
    const { machine, inspect } = this.#runtime
    const options = inspect === undefined ? {} : { inspect }
    const actor =
      stored === null
        ? createActor(machine, { ...options, input: { name: this.#name ?? '' } })
        : restoreTask(machine, stored.snapshot, options)
    // There is nothing to come that has not been told.
    if (stored?.final) return actor
    actor.subscribe({
      next: state => this.#moved(state),
      // A bug in the machine or its effects: whoever waits is told through waitFor; here it only must not crash the program.
      error: ignore,
    })
    return actor
  }

  /**
   * Runs after each step of the machine. Changes of state that happened while nobody looked are told like any other, and so are those that a
   * predecessor has not written down as heard: perhaps twice, by one number, but never not at all.
   */
  #moved({ value, context }: TaskSnapshot | StoredSnapshot): void {
    const passed = passedStates(value, context)
    this.#noteStopFailure(context.stopFailure)
    if (passed.length <= this.#told) return
    // What the records do not say by themselves is written down before it is told, or a successor could come to another conclusion.
    const written = this.#stored !== null
    if (!written && (this.#process?.adopted || context.outcome?.evidence === 'inferred'))
      this.#process?.saveNow()
    const heardBefore = this.#heard
    const at = Date.now()
    for (const [index, to] of passed.entries()) {
      if (index < this.#told && !this.#process?.adopted) continue
      const change = { from: passed[index - 1] ?? 'configured', to, sequence: index + 1, at }
      // Also what was told before: whoever told it may have been killed before it was in the journal.
      this.#record(this.#entryOf(change, context))
      if (index < this.#told) continue
      const heard = this.#runtime.events.transition(this, change)
      // Who starts a task and does not listen wants to know nothing of it; who only looks in must not swallow what others wait for.
      if (heard || !this.#process?.adopted) this.#heard = change.sequence
      this.#told = change.sequence
      if (to !== 'configured' && to !== 'limited') fault(`${to}-told`)
    }
    if (!written || this.#heard > heardBefore) this.#process?.saveSoon()
    else this.#process?.flushJournal()
    if (context.outcome !== null) this.#report(context.outcome)
  }

  #entryOf(change: Change & { readonly at: number }, context: TaskContext): HistoryEntry {
    const entry = changeEntry(change, context, change.at)
    if (change.to !== 'running' || this.#askedAt === null) return entry
    return { ...entry, tookMs: Math.round((performance.now() - this.#askedAt) * 1000) / 1000 }
  }

  #note(event: string, details: Parameters<typeof noteEntry>[2] = {}): void {
    this.#record(noteEntry(this.state, event, details))
    this.#process?.saveSoon()
  }

  #noteStopFailure(failure: TaskContext['stopFailure']): void {
    const before = this.#stopFailure
    this.#stopFailure = failure
    if (failure !== null && before === null) this.#note('stop failed', { failure: bare(failure) })
  }

  #record(entry: HistoryEntry): void {
    if (this.#process === null) this.#early.push(entry)
    else if (this.#process.journal.add(entry)) this.#runtime.events.recorded(this, entry)
  }

  #passed(): readonly TaskState[] {
    const { value, context } = this.#snapshot()
    return passedStates(value, context)
  }

  #report(outcome: Outcome): void {
    if (this.#reported) return
    this.#reported = true
    this.#runtime.events.exited(this, outcome)
  }

  #adopt(process: TaskProcess): void {
    this.#process = process
    process.snapshot = () => {
      if (this.#stored !== null) return this.#stored.snapshot
      const actor = this.#live()
      // Of one that has been stopped there is only a dead snapshot, which nobody could restore.
      if (actor.getSnapshot().status === 'stopped') return null
      return actor.getPersistedSnapshot() as unknown as StoredSnapshot
    }
    process.told = () => this.#heard
    this.#runtime.processes.set(this.key, process)
    for (const entry of this.#early.splice(0)) this.#record(entry)
  }

  #held(): TaskProcess {
    if (this.#process === null) throw new HoldfastError('INVALID_STATE', 'the task has not been started')
    return this.#process
  }

  #phase(): Phase {
    return phaseOf(this.#snapshot())
  }

  /** True: do it. False: nothing to do any more. Throws INVALID_STATE for what is refused. */
  #allow(call: Call): boolean {
    const phase = this.#phase()
    const decision = decide(phase, call)
    if (decision === 'refused') throw new HoldfastError('INVALID_STATE', refusal(phase, call))
    // Its id is still good, for another supervisor.
    if (call !== 'id' && this.#actor?.getSnapshot().status === 'stopped')
      throw this.#destroyed === null ? detached(undefined) : destroyed(call)
    return decision === 'allowed'
  }

  async #launched(): Promise<void> {
    const { context } = await this.#until(snapshot => phaseOf(snapshot) !== 'launching')
    const { outcome } = context
    if (outcome?.cause === 'startFailed' && outcome.failure !== null) throw fromFailure(outcome.failure)
  }

  async #end(): Promise<Outcome> {
    if (this.outcome !== null) return this.outcome
    const { context } = await this.#until(({ status }) => status === 'done')
    if (context.outcome === null) throw new Error('a task machine that is done has an outcome')
    return context.outcome
  }

  /** Nothing of the task is left, or an error names what is. */
  async #stopped(): Promise<WaitResult> {
    const { context } = await this.#until(
      ({ status, context }) => status === 'done' || context.stopFailure !== null,
    )
    const { outcome, stopFailure } = context
    if (outcome === null)
      throw stopFailure === null ? new Error('stopped without an outcome') : fromFailure(stopFailure)
    if (outcome.survivors.length > 0) throw survived(outcome.survivors)
    return toWaitResult(outcome)
  }

  /** Waits for a snapshot of the machine, and keeps the program running meanwhile. */
  async #until(reached: (snapshot: TaskSnapshot) => boolean) {
    const actor = this.#live()
    const snapshot = actor.getSnapshot()
    // To hold and release costs a call per task of the supervisor.
    if (reached(snapshot)) return snapshot
    // A stopped actor never says anything again, not even that.
    if (snapshot.status === 'stopped') throw detached(undefined)
    try {
      return await this.#runtime.keepAlive.while(waitFor(actor, reached))
    } catch (error) {
      const { status, error: fault } = actor.getSnapshot()
      throw status === 'error' ? fault : detached(error)
    }
  }
}

const ignore = (): void => {}

/** On both clocks. What is rounded down at both ends of a period would come out shorter than it is: `step` goes on top. */
function thisInstant(step = 0): { readonly at: number; readonly boot?: BootTime } {
  const boot = bootTime()
  return { at: Date.now(), ...(boot !== null && { boot: { ...boot, at: boot.at + step } }) }
}

const noLogs = { stdout: { base: null, path: '' }, stderr: { base: null, path: '' } }

function detached(cause: unknown): HoldfastError {
  return new HoldfastError('INVALID_STATE', 'the supervisor was closed; the task goes on without it', {
    hint: 'Take it over with openId(id).',
    cause,
  })
}

function destroyed(call: Call): HoldfastError {
  return new HoldfastError('INVALID_STATE', `${call}() is refused: the executor has been destroyed`, {
    hint: 'Make a new one.',
  })
}

function survived(pids: readonly number[]): HoldfastError {
  return new HoldfastError('LOST', `processes of the task are still alive: ${pids.join(', ')}`, {
    stage: 'stop',
    hint: 'They are in an uninterruptible system call (state D), usually of a hung network or FUSE mount, or the kernel refused to kill them.',
  })
}
