import { join } from 'node:path'
import { defaultStateDir, fingerprint } from '../index.ts'
import { type AgentConfig, readAgentConfig } from './config/agent-config.ts'
import type { Log } from './plumbing/hclog.ts'
import { TaskEventHub } from './tasks/event-hub.ts'
import { Supervisors } from './tasks/supervisors.ts'
import { TaskTable } from './tasks/task-table.ts'

/**
 * What the calls of one plugin process share. Making it touches nothing: Nomad starts a plugin several times
 * only to ask what it is, while another one of an earlier agent may still have tasks.
 */
export class PluginState {
  readonly log: Log
  readonly events = new TaskEventHub()
  readonly supervisors: Supervisors
  readonly table: TaskTable
  /** The agent's configuration; the defaults until it comes. */
  config: AgentConfig = readAgentConfig({})
  /** MHz of one core, where the agent has said so. */
  coreMhz: number | null = null

  #rootOfTasks: Promise<boolean> | null = null

  constructor(log: Log) {
    this.log = log
    this.supervisors = new Supervisors(
      () => !this.config.allow_weakened,
      (supervisor, stateDir) => this.events.watch(supervisor, key => this.table.byKey(stateDir, key)?.record),
    )
    this.table = new TaskTable(this.supervisors, () => this.stateDir)
  }

  /** Whether tasks get a root of their own here. It does not change while the process lives. */
  get ownRoot(): boolean {
    return process.platform === 'linux' && process.geteuid?.() === 0
  }

  /**
   * Whether they really do. Where nothing may be weakened, nothing is started without; where it may, a task
   * that was started to find out has shown it.
   */
  async hasOwnRoot(): Promise<boolean> {
    if (!this.ownRoot || !this.config.allow_weakened) return this.ownRoot
    this.#rootOfTasks ??= fingerprint().then(({ defaultRun }) =>
      defaultRun.enforcement.some(({ name, status }) => name === 'root' && status === 'enforced'),
    )
    // What could not be found out is asked again.
    return this.#rootOfTasks.catch((error: unknown) => {
      this.#rootOfTasks = null
      throw error
    })
  }

  get stateDir(): string {
    return this.config.state_dir ?? join(defaultStateDir(), 'nomad')
  }
}
