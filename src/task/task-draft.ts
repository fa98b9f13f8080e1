import { AllocDir } from '../alloc/alloc-dir.ts'
import type * as api from '../api.ts'
import { parseResources } from '../command/validate.ts'
import { HoldfastError } from '../errors.ts'
import { invalidArgument } from '../invalid-argument.ts'
import type { PlatformName, TaskPaths } from '../platform/port.ts'
import { noCommand } from './call-refusals.ts'
import { execCommand } from './running/exec.ts'
import {
  draftStart,
  type ExecTarget,
  type StartDraft,
  startSpec,
  type TaskSettings,
} from './start-request.ts'
import { newTaskKey } from './task-id.ts'
import { defaultTaskName } from './task-name.ts'
import type { TaskRuntime } from './task-runtime.ts'
import type { TaskSpec } from './task-spec.ts'

export type TaskOptions = {
  /** What becomes of the task when its supervisor ends. Default: as the supervisor's own option says. */
  readonly orphans?: 'keep' | 'kill'
  /** Refuse to start rather than weaken anything. Default: as the supervisor's own option says. */
  readonly strict?: boolean
  /**
   * Limits that it does not name and gets where this host can enforce them; elsewhere `enforcement` says that
   * they are not there.
   */
  readonly preferred?: api.Resources
  /** The user where it names none and this host can give it a number of its own. */
  readonly preferredUser?: 'own'
  /** `/local` and `/alloc` are in memory where `diskBytes` does not bound them. Default false. */
  readonly bounded?: boolean
  /** The platform was called for by its name, and is not just the best there is. Default false. */
  readonly byName?: boolean
}

/**
 * The running task that a command is to be exec'ed into, asked for when that is started. Throws INVALID_STATE
 * when it does not run.
 */
export type AskTarget = () => ExecTarget

/** A start that was asked for. `alloc` is usually made at once. */
export type AskedStart = {
  readonly draft: StartDraft
  readonly owner: string | null
  readonly alloc: TaskPaths | Promise<TaskPaths>
}

type Services = Pick<
  TaskRuntime<unknown>,
  'state' | 'orphans' | 'strict' | 'lifelinePath' | 'durable' | 'defaults' | 'shutdown' | 'user'
>

/** What one task is to be: its command, key, name, limits and directory, until it is started. */
export class TaskDraft {
  readonly command: api.Command = { path: '', args: [], env: {} }
  readonly #runtime: Services
  readonly #askTarget: AskTarget | null
  #settings: TaskSettings
  #key: string | null = null

  constructor(
    runtime: Services,
    platform: PlatformName,
    {
      orphans = runtime.orphans,
      strict = runtime.strict,
      byName = false,
      preferred,
      preferredUser,
      bounded = false,
    }: TaskOptions,
    askTarget: AskTarget | null,
  ) {
    this.#runtime = runtime
    this.#askTarget = askTarget
    const unset = { name: null, resources: null, alloc: null }
    const limits = preferred === undefined ? null : parseResources(preferred)
    this.#settings = {
      ...unset,
      platform,
      byName,
      orphans,
      strict,
      preferred: limits,
      preferredUser: preferredUser ?? null,
      bounded,
    }
  }

  get key(): string {
    this.#key ??= newTaskKey()
    return this.#key
  }

  /** The name that its command gives it; null: it has one already, by configureTaskDir() or named(). */
  takeName(name: string): string | null {
    if (this.#settings.name !== null) return null
    this.rename(name)
    return name
  }

  /**
   * Before the start it has none of its own yet: its changes of state are published by the name that it will
   * get.
   */
  name(known: string): string {
    return (this.#settings.name ?? known) || (this.command.name ?? defaultTaskName(this.command.path))
  }

  /** Whether hints may name paths of the host: the task has a root of its own. */
  get hasOwnRoot(): boolean {
    return this.#settings.platform === 'linux' && this.#askTarget === null
  }

  limit(resources: api.Resources): void {
    this.#settings = { ...this.#settings, resources: parseResources(resources) }
  }

  /** Throws INVALID_STATE for what is to be exec'ed, INVALID_ARGUMENT, NOT_FOUND. */
  putInto(alloc: AllocDir, taskName: string): void {
    if (this.#askTarget !== null)
      throw new HoldfastError(
        'INVALID_STATE',
        'configureTaskDir() is refused: it runs in the directory of its task',
      )
    if (!(alloc instanceof AllocDir)) throw invalidArgument('alloc', Symbol(typeof alloc), 'an AllocDir')
    this.#settings = { ...this.#settings, alloc: alloc.taskPaths(taskName) }
  }

  rename(name: string): void {
    this.#settings = { ...this.#settings, name }
  }

  /** Throws INVALID_STATE without a command. */
  requireCommand(): void {
    if (this.command.path === '') throw noCommand()
  }

  /**
   * Checks what is to be started and begins to make its directory. Throws INVALID_ARGUMENT, INVALID_STATE.
   */
  ask(): AskedStart {
    const { name, orphans, alloc } = this.#settings
    const target = this.#askTarget?.() ?? null
    const draft = draftStart(target === null ? this.#withUser() : this.command, name, target)
    const owner = orphans === 'kill' ? this.#runtime.lifelinePath() : null
    const own = draft.target?.alloc ?? alloc ?? this.#runtime.state.buildAlloc(this.key, draft.name)
    return { draft, owner, alloc: own }
  }

  #withUser(): api.Command {
    const { user } = this.#runtime
    const isNamed = this.command.user !== undefined || this.command.group !== undefined
    return user === null || isNamed ? this.command : { ...this.command, user }
  }

  /** Freezes the command: all that is stored of the task before anything is started. */
  freeze({ draft, owner }: AskedStart, alloc: TaskPaths): TaskSpec {
    Object.assign(this.command, draft.command)
    // They are the task's from here on, and nobody's who looks at its command.
    delete this.command.secrets
    Object.freeze(this.command)
    return startSpec(this.key, draft, this.#settings, this.#runtime, { alloc, owner })
  }

  /** The draft of a task that was found on disk: nothing of it can be changed any more. */
  describe({ request }: TaskSpec): void {
    const { key, name, platform, byName = false, resources } = request
    this.#key = key
    this.#settings = { ...this.#settings, name, platform, byName, resources }
    Object.assign(this.command, request.command)
    Object.freeze(this.command)
  }

  /** What a command that is exec'ed into this task begins with. */
  get inherited(): {
    readonly platform: PlatformName
    readonly options: TaskOptions
    readonly command: Partial<api.Command>
  } {
    const { platform, orphans, strict, byName } = this.#settings
    return { platform, options: { orphans, strict, byName }, command: execCommand(this.command) }
  }
}
