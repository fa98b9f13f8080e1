import type { Writable } from 'node:stream'
import type { Outcome, StartRecord, StopInput, StopRequest } from '../../machines/index.ts'
import type { Verification } from '../api.ts'
import type { Secret } from '../command/secrets.ts'
import type { TargetTask } from '../platform/port.ts'
import { platform } from '../platform/index.ts'
import { watchAlive } from '../spawn/alive.ts'
import type { FileTarget } from '../spawn/spec.ts'
import { adopt } from './effects/adopt.ts'
import { Bypass } from './effects/bypass.ts'
import { Launch } from './effects/launch.ts'
import { stop } from './effects/stop.ts'
import type { TaskParts } from './effects/task-parts.ts'
import { WallTime } from './effects/wall-time.ts'
import { watch } from './effects/watch.ts'
import { failpoint } from './failpoint.ts'
import { keeperOf } from './keeper.ts'
import { LetGo } from './let-go.ts'
import type { TaskEffects } from './provide.ts'
import { deliverSignal, deliverSize } from './running/deliver.ts'
import { execTarget } from './running/exec.ts'
import { endInput, openInput } from './running/input.ts'
import { RunningLimits } from './running/limits.ts'
import { RunningUsage } from './running/usage.ts'
import { giveBack } from './own-users/own-users.ts'
import { verify } from './running/verify.ts'
import { TaskOverlay } from './overlay.ts'
import { StartRecords } from './start-records.ts'
import { TaskFile, type TaskView } from './task-file.ts'
import type { TaskInput } from './stdin-feed.ts'
import type { TaskServices } from './task-services.ts'
import type { TaskSpec } from './task-spec.ts'
import { hasOverlay } from '../platform/overlay-place.ts'
import { untilCleared } from './until-cleared.ts'

/**
 * How a task came to this supervisor: started by it (`input`: a stream that the task reads from), or by
 * another.
 */
export type Origin =
  | { readonly by: 'us'; readonly input: TaskInput | null; readonly secrets: readonly Secret[] }
  | { readonly by: 'another' }

/**
 * One task outside of its machine: the machine's three actors, its files, and what may be asked of it while
 * it runs. All it knows of the task after the start it reads from the task's directory, so that it does the
 * same for a task it started and for one it took over.
 */
export class TaskProcess implements TaskEffects {
  readonly file: TaskFile
  readonly limits: RunningLimits
  readonly usage: RunningUsage
  readonly #task: TaskParts
  /** Null: another supervisor has started it. */
  readonly #launch: Launch | null
  readonly #bypass = new Bypass()
  readonly #wall: WallTime

  constructor(services: TaskServices, spec: TaskSpec, view: TaskView, origin: Origin) {
    const dir = services.state.taskDirectory(spec.request.key)
    const isOurs = origin.by === 'us'
    this.file = new TaskFile(services.state, view, spec, isOurs)
    this.#task = {
      services,
      dir,
      file: this.file,
      records: new StartRecords(dir, () => view.actor.persisted()),
      planner: platform(spec.request.platform),
      keeper: keeperOf(spec.request),
    }
    this.#launch = isOurs ? new Launch(this.#task, origin) : null
    this.usage = new RunningUsage(this.#task)
    this.limits = new RunningLimits(this.#task, {
      cgroups: () => this.usage.forget(),
      written: () => this.#wall.changed(),
    })
    this.#wall = new WallTime(this.#task, () => this.#wallTimeMs(), this.#bypass)
  }

  get spec(): TaskSpec {
    return this.file.spec
  }

  /** Started by another supervisor. */
  get adopted(): boolean {
    return this.#launch === null
  }

  log(stream: 'stdout' | 'stderr'): FileTarget {
    return this.spec.logs[stream]
  }

  // --- the machine's actors ---

  launch(abandoned: AbortSignal): Promise<StartRecord> {
    return this.#launch?.run(abandoned) ?? adopt(this.#task)
  }

  watch(report: (outcome: Outcome, stop: StopRequest | null) => void): () => void {
    const letGo = new LetGo()
    this.#wall.begin(letGo, this.#isLimited())
    const clues = { spawnerEnd: this.#launch?.launched?.end ?? null, bypass: this.#bypass }
    return watch(this.#task, clues, report, letGo)
  }

  stop(request: StopInput, abandoned: AbortSignal): Promise<void> {
    return stop(this.#task, request, abandoned, {
      endInput: () => this.endInput(),
      bypass: this.#bypass,
    })
  }

  /** Whether nothing is to be done for a task of another supervisor but to wait for its end. */
  mayRest(): boolean {
    return this.adopted && !this.#isLimited()
  }

  /**
   * Calls `onEnd` once when its shim is gone, or when that cannot be seen. Returns the way to hear no more.
   * Throws where it cannot be watched.
   */
  untilEnd(onEnd: () => void): () => void {
    return watchAlive(this.#task.dir, this.#task.services.keepAlive, onEnd)
  }

  /** Whether it has a limit of its wall time: of one that is ours nobody else has written another yet. */
  #isLimited(): boolean {
    if (this.adopted) return this.#wallTimeMs() !== null
    return this.spec.request.resources?.wallTimeMs !== undefined
  }

  /** As started where the change of it cannot be read. */
  #wallTimeMs(): number | null {
    try {
      return this.limits.current.resources?.wallTimeMs ?? null
    } catch {
      return this.spec.request.resources?.wallTimeMs ?? null
    }
  }

  // --- the running task ---

  /** Throws UNSUPPORTED on Windows, INVALID_STATE when the task has just ended. */
  signal(signal: NodeJS.Signals): void {
    deliverSignal(this.#task, signal)
  }

  resize(rows: number, columns: number): void {
    deliverSize(this.#task, rows, columns)
  }

  /** Throws UNSUPPORTED, INVALID_STATE. */
  openInput(): Writable {
    return openInput(this.#task)
  }

  /** The task reads to the end of what has been written to openInput(). Throws UNSUPPORTED, INVALID_STATE. */
  tellEnd(): void {
    endInput(this.#task)
  }

  /** Throws LOST when its start record is gone, STATE_CORRUPT for one that cannot be believed. */
  verify(): Verification {
    return verify(this.#task, this.limits)
  }

  /** What it has changed in its workspace, where that is an overlay. */
  get overlay(): TaskOverlay {
    return new TaskOverlay(this.spec.request, this.#task.dir)
  }

  /** This task, for what is to run inside of it. Throws LOST when its start record is gone. */
  execTarget(): TargetTask {
    return execTarget(this.#task, this.limits)
  }

  /** The task reads to the end of what it has been given. Idempotent. */
  endInput(): void {
    this.#launch?.endInput()
  }

  // --- the end ---

  /**
   * Removes cgroups and directories of a task that has ended. At every step what is left is the ended task
   * with its result, which can be removed again, until task.json goes; after it there is nothing but an empty
   * directory.
   */
  async remove(): Promise<void> {
    const { keeper, records, services } = this.#task
    const { request, ownAlloc, ownUser } = this.spec
    failpoint('destroy-begun')
    this.file.close()
    await untilCleared(this.#task, this.#launch?.launched ?? null)
    const start = records.get()
    if (start !== null) await keeper.release(start.cgroups)
    failpoint('destroy-cgroups-removed')
    await this.overlay.clean()
    if (ownAlloc || hasOverlay(request)) await services.state.removeAlloc(request.key, request.name)
    failpoint('destroy-allocation-removed')
    services.state.remove(request.key)
    if (ownUser !== undefined) giveBack(ownUser, { stateDir: services.state.path, key: request.key })
    failpoint('destroy-done')
  }
}
