import { strict as assert } from 'node:assert'
import type { Outcome } from '../../machines/index.ts'
import type { HistoryEntry } from '../../src/api.ts'
import { HoldfastError } from '../../src/errors.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import type { LaunchSpec } from '../../src/spawn/spec.ts'
import { type Launched, LaunchFailed, type Spawner, type WatchEnd } from '../../src/spawn/spawner.ts'
import { OwnUsers } from '../../src/task/own-users/own-users.ts'
import { provideTaskMachine } from '../../src/task/provide.ts'
import { StateDirectory } from '../../src/task/task-directory.ts'
import type { TaskChange, TaskChanges } from '../../src/task/task-change.ts'
import { TaskExecutor } from '../../src/task/task-executor.ts'
import type { TaskOptions } from '../../src/task/task-draft.ts'
import type { TaskProcess } from '../../src/task/task-process.ts'
import type { TaskRuntime } from '../../src/task/task-runtime.ts'
import { UsageSweep } from '../../src/task/usage-sweep.ts'
import { FakeShim } from './fake-shim.ts'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

type Answer = (shim: FakeShim, spec: LaunchSpec) => void

/** Each launch is answered in this process: a shim that is none, and no task. */
class FakeSpawner implements Spawner {
  readonly restarts = 0
  readonly launched: LaunchSpec[] = []
  readonly shims: FakeShim[] = []
  readonly #ends: ((end: WatchEnd) => void)[] = []
  /** What becomes of the next launches; without one, the task runs. */
  readonly answers: Answer[] = []

  async launch(spec: LaunchSpec): Promise<Launched> {
    this.launched.push(spec)
    const shim = new FakeShim(spec.dir)
    this.shims.push(shim)
    const answer = this.answers.shift() ?? (one => one.started())
    try {
      answer(shim, spec)
    } catch (error) {
      shim.gone()
      throw error
    }
    const end = new Promise<WatchEnd>(resolve => this.#ends.push(resolve))
    return { end, gone: end }
  }

  /** The shim of the last launch. */
  get shim(): FakeShim {
    return this.shims.at(-1) ?? assert.fail('nothing was launched')
  }

  /** The last task ends: its record is there, and its shim goes. */
  end(how: Parameters<FakeShim['ended']>[0] = {}): void {
    this.shim.ended(how)
    this.shim.gone()
    this.#ends.at(-1)?.('gone')
  }

  /** Its shim is gone and has left no record. */
  vanish(): void {
    this.shim.gone()
    this.#ends.at(-1)?.('gone')
  }

  feed(): never {
    assert.fail('nobody feeds it')
  }

  scope(): Promise<null> {
    return Promise.resolve(null)
  }

  prepare(): number | null {
    return null
  }

  async close(): Promise<void> {
    for (const shim of this.shims) shim.gone()
  }
}

export const refusesExec: Answer = () => {
  throw new LaunchFailed('exec', 2, '/bin/true')
}

/** What a supervisor gives its tasks, and what it hears of them; no process is started by it. */
export class FakeRuntime implements TaskChanges<TaskExecutor> {
  readonly spawner = new FakeSpawner()
  readonly tasks = new Map<string, TaskExecutor>()
  /** What the supervisor has been told, in order. */
  readonly heard: string[] = []
  readonly entries: HistoryEntry[] = []
  readonly outcomes: Outcome[] = []
  readonly runtime: TaskRuntime<TaskExecutor>
  isOpen = true
  /** Whether somebody listens to transitions. */
  isHeard = true

  constructor(stateDir = temporaryDirectory('runtime')) {
    const processes = new Map<string, TaskProcess>()
    this.runtime = {
      state: new StateDirectory(stateDir),
      keepAlive: new KeepAlive(),
      ownUsers: new OwnUsers({ first: 0x7000_0000, count: 16, registry: `${stateDir}/users` }),
      user: null,
      spawner: () => this.spawner,
      strict: false,
      durable: false,
      defaults: null,
      lifelinePath: () => `${stateDir}/supervisors/fifo`,
      orphans: 'keep',
      shutdown: { signal: 'SIGTERM', graceMs: 5000, target: 'group' },
      machine: provideTaskMachine(processes),
      processes,
      usage: new UsageSweep(),
      assertOpen: () => {
        if (!this.isOpen) throw new HoldfastError('INVALID_STATE', 'the supervisor is closed')
      },
      find: key => this.tasks.get(key),
      inspect: undefined,
      changes: this,
    }
  }

  get areHeard(): boolean {
    return this.isHeard
  }

  publish(change: TaskChange<TaskExecutor>): void {
    const { type, task } = change
    if (type === 'started') this.tasks.set(task.key, task)
    if (type === 'destroyed') this.tasks.delete(task.key)
    if (type === 'recorded') this.entries.push(change.entry)
    if (type === 'exited') this.outcomes.push(change.outcome)
    if (type === 'transition') {
      const { sequence, from, to } = change.change
      this.heard.push(`${sequence}: ${from} -> ${to}`)
    } else if (type !== 'recorded') this.heard.push(type)
  }

  /** A task of the Basic platform whose program is there. */
  executor(options: TaskOptions = {}): TaskExecutor {
    const executor = new TaskExecutor(this.runtime, 'basic', options)
    Object.assign(executor.command, { path: '/bin/sh', args: ['-c', 'true'] })
    return executor
  }

  async started(options: TaskOptions = {}): Promise<TaskExecutor> {
    const executor = this.executor(options)
    await executor.start()
    return executor
  }

  /** Another supervisor of the same state directory. */
  another(): FakeRuntime {
    return new FakeRuntime(this.runtime.state.path)
  }

  async dispose(): Promise<void> {
    for (const task of this.tasks.values()) task.held.detach()
    await this.spawner.close()
    removeTemporary(this.runtime.state.path)
  }
}
