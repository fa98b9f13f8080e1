import type { Readable } from 'node:stream'
import { EMPTY, type Observable } from 'rxjs'
import { type Call, decide, phaseOf, refusal, stateOf } from '../../machines/index.ts'
import type * as api from '../api.ts'
import { hasRules } from '../command/destinations.ts'
import { HoldfastError } from '../errors.ts'
import type { TaskPaths } from '../platform/port.ts'
import { bootClockStepMs } from '../spawn/boot-clock.ts'
import { thisInstant, untilEnded, untilLaunched, untilStopped } from './awaited-ends.ts'
import { parseShutdownOptions } from './call-options.ts'
import { destroyed, detached } from './call-refusals.ts'
import { egressEntries } from './egress.ts'
import { withoutMessage } from './history-entry.ts'
import { inputFailure } from './input-failure.ts'
import type { Rehydrated } from './rehydrate.ts'
import type { ExecTarget } from './start-request.ts'
import { rest } from './rest.ts'
import { startUnder } from './start-signal.ts'
import type { TaskInput } from './stdin-feed.ts'
import { type Restored, TaskActor } from './task-actor.ts'
import { taskEgress } from './task-output.ts'
import { type Origin, TaskProcess } from './task-process.ts'
import type { TaskRuntime } from './task-runtime.ts'
import type { TaskSpec } from './task-spec.ts'
import { TransitionLog } from './transition-log.ts'
import { toWaitResult } from './wait-result.ts'

/**
 * One task as its supervisor holds it: its machine, what is published of it, its processes. Two executors of
 * one task share it: two actors would both act for it.
 */
export class HeldTask<Face extends { readonly key: string }> {
  readonly actor: TaskActor
  readonly log: TransitionLog
  readonly #runtime: TaskRuntime<Face>
  readonly #face: Face
  #process: TaskProcess | null = null
  /** A start that is still making its directories, of which the machine knows nothing yet. */
  #building: Promise<unknown> | null = null
  #destroyed: Promise<void> | null = null

  /** `face` is what the supervisor knows the task by. Without `restored` the machine is a new one. */
  constructor(runtime: TaskRuntime<Face>, face: Face, restored: Restored | null = null) {
    const { changes } = runtime
    this.#runtime = runtime
    this.#face = face
    this.log = new TransitionLog({
      transition: change => {
        const { areHeard } = changes
        changes.publish({ type: 'transition', task: face, change })
        return areHeard
      },
      recorded: entry => changes.publish({ type: 'recorded', task: face, entry }),
      exited: outcome =>
        changes.publish({ type: 'exited', task: face, outcome: this.actor.withInputFailure(outcome) }),
    })
    this.actor = new TaskActor(runtime, snapshot => this.log.moved(snapshot), restored)
  }

  /** Its processes, from start() or open() on. */
  get process(): TaskProcess | null {
    return this.#process
  }

  /** Started by another supervisor. */
  get takenOver(): boolean {
    return this.#process?.adopted ?? false
  }

  /** The FIFO of the supervisor that this task does not outlive, or null. */
  get owner(): string | null {
    return this.#process?.spec.request.owner ?? null
  }

  /** Throws INVALID_STATE when there are none. */
  requireProcess(): TaskProcess {
    if (this.#process === null) throw new HoldfastError('INVALID_STATE', 'the task has not been started')
    return this.#process
  }

  /** The task is on disk, or is about to be: from now on the supervisor knows of it. */
  begin(spec: TaskSpec, origin: Origin, delivered = 0): void {
    const view = { actor: this.actor, delivered: () => this.log.delivered }
    this.#process = new TaskProcess(this.#runtime, spec, view, origin)
    this.#runtime.processes.set(spec.request.key, this.#process)
    this.log.begin(this.#process, delivered)
    this.#runtime.changes.publish({ type: 'started', task: this.#face })
  }

  /**
   * Goes on from what was stored. Resolves when a launch that it was in the middle of is over: then its id is
   * good for signals and limits.
   */
  async resume({ spec, delivered, final, snapshot, events }: Rehydrated): Promise<void> {
    this.begin(spec, { by: 'another' }, delivered)
    // XState's inspection is to hear of every actor.
    const isAsStored = final || (!this.#runtime.inspect && rest(this.actor, this.requireProcess(), snapshot))
    if (isAsStored) this.log.moved(snapshot, true)
    else for (const event of events) this.actor.live().send(event)
    const { outcome } = this.actor.snapshot().context
    if (outcome !== null) this.log.report(outcome)
    if (!isAsStored) await this.actor.until(reached => phaseOf(reached) !== 'launching')
  }

  /** What is decided about its destinations, from its start or from now on. Keeps no program running. */
  egressEntries$(fromStart: boolean): Observable<api.HistoryEntry> {
    const process = this.requireProcess()
    if (!hasRules(process.spec.request.command.network)) return EMPTY
    const source = taskEgress(process, this.actor, this.#runtime)
    return egressEntries(() => ({ ...source, hold: () => () => {} }), fromStart)
  }

  /** To send it something. Throws INVALID_STATE, naming the call, when it does not run. */
  running(call: 'signal' | 'resize' | 'openInput' | 'endInput' | 'update'): TaskProcess {
    this.allow(call)
    // A new limit of its wall time is kept by the machine's watch.
    if (call === 'update') this.actor.live()
    return this.requireProcess()
  }

  /** For a command that is exec'ed into it. Throws INVALID_STATE when it does not run. */
  execTarget(): ExecTarget {
    this.allow('exec')
    const process = this.requireProcess()
    const { alloc, command } = process.spec.request
    return { task: process.execTarget(), alloc, command }
  }

  /** True: do it. False: nothing to do any more. Throws INVALID_STATE for what is refused. */
  allow(call: Call): boolean {
    const { phase } = this.actor
    const decision = decide(phase, call)
    if (decision === 'refused') throw new HoldfastError('INVALID_STATE', refusal(phase, call))
    // Its id is still good, for another supervisor.
    if (call !== 'id' && this.actor.isStopped)
      throw this.#destroyed === null ? detached(undefined) : destroyed(call)
    return decision === 'allowed'
  }

  refuseIfDestroyed(): void {
    if (this.#destroyed !== null) throw destroyed('start')
  }

  /**
   * Waits for the directory of a task, whose name is `name`. Rejects INVALID_STATE when the task was
   * destroyed meanwhile.
   */
  async built(directory: Promise<TaskPaths>, name: string): Promise<TaskPaths> {
    this.#building = directory.catch(() => {})
    const paths = await directory
    if (this.#destroyed !== null) await this.#runtime.state.removeAlloc(this.#face.key, name)
    this.refuseIfDestroyed()
    this.allow('start')
    return paths
  }

  /** Half of its input must not pass for all of it: the task is stopped before it can see an end. */
  inputOf(stream: Readable | null): TaskInput | null {
    if (stream === null) return null
    const failed = (error: Error): void => {
      const failure = inputFailure(error)
      if (!this.actor.inputFailed(failure)) return
      this.log.note(stateOf(this.actor.snapshot()), 'input failed', { failure: withoutMessage(failure) })
      // On Windows a stop is told by the very end that it must not see.
      this.shutdown(process.platform === 'win32' ? { graceMs: 0 } : {}).catch(() => {})
    }
    return { stream, failed }
  }

  /**
   * Starts the program. Rejects with what the start failed with, or with the reason of `signal` when that was
   * aborted before. `name`: of a task that has none yet.
   */
  async launch(signal: AbortSignal | null, name: string | null): Promise<void> {
    if (this.actor.phase === 'limited') this.log.note('limited', 'START')
    const named = name === null ? {} : { name }
    this.actor.live().send({ type: 'START', key: this.#face.key, at: Date.now(), ...named })
    const launched = untilLaunched(this.actor)
    if (signal === null) return launched
    await startUnder(
      signal,
      launched,
      () => this.shutdown(),
      ended => this.actor.onEnd(ended),
    )
  }

  async wait(): Promise<api.WaitResult> {
    this.allow('wait')
    return toWaitResult(await untilEnded(this.actor))
  }

  async shutdown(options: api.ShutdownOptions = {}): Promise<api.WaitResult> {
    const { signal, graceMs, target } = parseShutdownOptions(options, this.#runtime.shutdown)
    if (this.allow('shutdown')) {
      if (this.#isStopping) this.log.note('stopping', 'STOP', { signal, graceMs })
      const instant = thisInstant(graceMs > 0 ? bootClockStepMs : 0)
      const whom = target === 'leader' ? { target } : {}
      this.actor.live().send({ type: 'STOP', signal, graceMs, ...instant, ...whom })
    }
    return untilStopped(this.actor)
  }

  async forceStop(): Promise<api.WaitResult> {
    if (this.allow('forceStop')) {
      if (this.#isStopping) this.log.note('stopping', 'KILL', { signal: 'SIGKILL' })
      this.actor.live().send({ type: 'KILL', ...thisInstant() })
    }
    return untilStopped(this.actor)
  }

  /** Kills what runs of it, and removes it from the host. Idempotent. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy().catch((error: unknown) => {
      // What failed may be mended: the next call tries again.
      this.#destroyed = null
      throw error
    })
    return this.#destroyed
  }

  async #destroy(): Promise<void> {
    await this.#building
    if (decide(this.actor.phase, 'forceStop') === 'allowed') await this.forceStop()
    await this.#process?.remove()
    this.letGo()
  }

  /** Writes what is still to be written of the snapshot. */
  flush(): void {
    this.#process?.file.flush()
  }

  /** Lets go of the task without touching it. Waiting callers are told. */
  detach(): void {
    this.actor.stop()
    this.#process?.endInput()
    this.#runtime.processes.delete(this.#face.key)
  }

  /** Of a task that has been removed. */
  letGo(): void {
    this.detach()
    this.#runtime.changes.publish({ type: 'destroyed', task: this.#face })
  }

  get #isStopping(): boolean {
    return this.actor.snapshot().value === 'stopping'
  }
}
