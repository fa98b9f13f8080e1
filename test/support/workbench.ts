import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Executor, Supervisor, type SupervisorOptions, setCommand } from '../../src/index.ts'
import type { PlatformName } from '../../src/platform/port.ts'
import { fromSources } from '../../src/spawn/portable/shim-program.ts'
import { compiledOrNull } from './compiled.ts'
import { programOf } from './foreign-programs.ts'
import { untilNoneLeft } from './leftovers.ts'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

/** When the first is started. */
fromSources.compile = () => compiledOrNull('src/spawn/portable/shim.ts')

/**
 * One test's own state directory and supervisors. Its end destroys every task and checks that nothing is left
 * of any.
 */
export class Workbench {
  readonly stateDir = temporaryDirectory('bench')
  readonly platform: PlatformName
  readonly #supervisors: Supervisor[] = []
  readonly #directories: string[] = []

  constructor(platform: PlatformName) {
    this.platform = platform
  }

  /** The first supervisor; made at first use. */
  get supervisor(): Supervisor {
    return this.#supervisors[0] ?? this.another()
  }

  /** One more supervisor, of the same state directory unless told otherwise. */
  another(options: SupervisorOptions = {}): Supervisor {
    // Not the host's: users of tasks that could reach its keys or queues are held there until it boots anew.
    const ownUsers = { registry: join(this.stateDir, 'own-users') }
    const supervisor = new Supervisor({
      stateDir: this.stateDir,
      durability: 'process',
      ownUsers,
      ...options,
    })
    this.#supervisors.push(supervisor)
    return supervisor
  }

  /** An executor of the platform under test, with its command set. */
  command(name: string, ...args: string[]): Executor {
    return this.commandOf(this.supervisor, name, ...args)
  }

  commandOf(supervisor: Supervisor, name: string, ...args: string[]): Executor {
    const executor = supervisor.executor(this.platform)
    const [program, ...rest] = programOf(name, args)
    setCommand(executor, program, rest)
    return executor
  }

  /** A second command inside a running task. */
  exec(task: Executor, name: string, ...args: string[]): Executor {
    return task.exec(...programOf(name, args))
  }

  /** A shell script; not started. */
  shell(script: string): Executor {
    return this.command('/bin/sh', '-c', script)
  }

  /** One inside a running task. */
  shellIn(task: Executor, script: string): Executor {
    return this.exec(task, '/bin/sh', '-c', script)
  }

  directory(name?: string): string {
    const path = temporaryDirectory(name)
    this.#directories.push(path)
    return path
  }

  /** Keys of all tasks that are on disk. */
  keys(): string[] {
    return [...new Set([...names(join(this.stateDir, 'tasks')), ...names(join(this.stateDir, 'allocs'))])]
  }

  async dispose(): Promise<void> {
    const keys = this.keys()
    try {
      await this.#destroyAll()
      await untilNoneLeft(keys)
    } finally {
      for (const path of [this.stateDir, ...this.#directories]) removeTemporary(path)
    }
  }

  async #destroyAll(): Promise<void> {
    const held = this.#supervisors.flatMap(supervisor => [...supervisor.tasks.values()])
    await Promise.all(held.map(task => task.destroy()))
    await Promise.all(this.#supervisors.map(supervisor => supervisor.close()))
    // What a closed supervisor or another process has left running.
    const last = this.another()
    await last.openAll()
    await Promise.all([...last.tasks.values()].map(task => task.destroy()))
    await last.close()
  }
}

/**
 * Runs a test with a workbench of its own. What the test itself threw comes before what the clean-up says.
 */
export async function withWorkbench(
  platform: PlatformName,
  body: (bench: Workbench) => Promise<void>,
): Promise<void> {
  const bench = new Workbench(platform)
  try {
    await body(bench)
  } catch (error) {
    await bench.dispose().catch(() => {})
    throw error
  }
  await bench.dispose()
}

function names(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
