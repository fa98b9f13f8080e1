import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../../src/nomad/wire/codec.ts'
import { untilNoneLeft } from '../../support/leftovers.ts'
import { requires } from '../../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'
import { Allocation } from './allocation.ts'
import { PluginHost } from './plugin-host.ts'

type Task = object & { id: string }

/**
 * Of a suite: a plugin that is configured, as root on Linux, and an allocation for each test, after which its
 * tasks are destroyed and nothing is left of them.
 */
export class DriverBench {
  readonly directory: string
  host!: PluginHost
  allocation!: Allocation
  readonly #started = new Set<string>()

  constructor(directory: string) {
    this.directory = directory
  }

  get stateDir(): string {
    return join(this.directory, 'state')
  }

  async launch(config: object): Promise<void> {
    this.host = await PluginHost.launch()
    await this.configure(config)
  }

  async configure(config: object): Promise<void> {
    await this.host.configure({ state_dir: this.stateDir, ...config })
  }

  driver(method: string, request: object = {}): Promise<Message> {
    return this.host.client.driver(method, request)
  }

  async start(task: Task): Promise<Message> {
    this.#started.add(task.id)
    return (await this.driver('StartTask', { task })).handle as Message
  }

  /** What it has written to stdout by its end. */
  async outputOf(task: Task): Promise<string> {
    await this.start(task)
    await this.driver('WaitTask', { task_id: task.id })
    return this.allocation.logged()
  }

  async destroyStarted(): Promise<void> {
    for (const id of this.#started) await this.driver('DestroyTask', { task_id: id, force: true })
    this.#started.clear()
  }

  async end(): Promise<void> {
    const tasks = join(this.stateDir, 'tasks')
    const keys = existsSync(tasks) ? readdirSync(tasks) : []
    await this.destroyStarted()
    this.allocation.close()
    await untilNoneLeft(keys)
  }
}

/** `collects`: the client has collectors of logs, and FIFOs for them. */
export function driverBench(name: string, config: object, collects = true): DriverBench {
  const bench = new DriverBench(temporaryDirectory(name))
  before(async function () {
    requires(this, 'root', 'linux', 'native')
    await bench.launch(config)
  })
  after(async () => {
    await bench.host?.kill()
    removeTemporary(bench.directory)
  })
  beforeEach(() => {
    bench.allocation = new Allocation(bench.directory, collects)
  })
  afterEach(() => bench.end())
  return bench
}
