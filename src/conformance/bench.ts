import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastValueFrom, toArray } from 'rxjs'
import {
  type Command,
  type Enforcement,
  type Executor,
  type Resources,
  setCommand,
  Supervisor,
  type SupervisorOptions,
} from '../index.ts'
import type { Adapter } from './adapters.ts'
import { Skipped } from './expect.ts'

/** Of a task that asks for nothing: the same for all checks. */
const defaultRows = new WeakMap<Adapter, readonly Enforcement[]>()

/** What a check works with: a state directory of its own, and tasks of one adapter. */
export class Bench {
  readonly adapter: Adapter
  readonly stateDir: string
  readonly #supervisors: Supervisor[] = []

  constructor(adapter: Adapter) {
    this.adapter = adapter
    this.stateDir = mkdtempSync(join(tmpdir(), 'holdfast-conformance-'))
    // A Basic task of another user passes through it.
    chmodSync(this.stateDir, 0o711)
  }

  supervisor(options: SupervisorOptions = {}): Supervisor {
    const supervisor = new Supervisor({ stateDir: this.stateDir, durability: 'process', ...options })
    this.#supervisors.push(supervisor)
    return supervisor
  }

  /** A task that runs a shell script; not started. */
  shell(script: string, command: Partial<Command> = {}, supervisor?: Supervisor): Executor {
    const task = (supervisor ?? this.#supervisors[0] ?? this.supervisor()).executor(this.adapter.platform)
    setCommand(task, '/bin/sh', ['-c', script])
    Object.assign(task.command, command)
    return task
  }

  /** Runs a script to its end; what it wrote to standard output. */
  async output(script: string, command: Partial<Command> = {}): Promise<string> {
    const task = this.shell(script, command)
    await task.start()
    await task.wait()
    return await written(task)
  }

  /**
   * Skips unless all of these are enforced here, by what a harmless task of the same kind is told. (Proving a
   * memory limit that is not there would take the host's memory.)
   */
  async needs(
    names: readonly string[],
    resources: Resources | null = null,
    command: Partial<Command> = {},
  ): Promise<void> {
    const isDefault = resources === null && Object.keys(command).length === 0
    const known = isDefault ? defaultRows.get(this.adapter) : undefined
    const rows = known ?? (await this.#rows(resources, command))
    if (isDefault) defaultRows.set(this.adapter, rows)
    for (const name of names) {
      const row = rows.find(entry => entry.name === name)
      // Left out by choice: to call for the executor was one.
      if (row === undefined || (row.chosen && row.status === 'skipped'))
        throw new Skipped(`the ${this.adapter.platform} executor promises no ${name}`)
      if (row.status !== 'enforced') throw new Skipped(row.reason ?? `${name} is ${row.status}`)
    }
  }

  async #rows(resources: Resources | null, command: Partial<Command>): Promise<readonly Enforcement[]> {
    const task = this.shell('exit 0', command)
    if (resources !== null) await task.limit(resources)
    await task.start()
    await task.wait()
    return task.enforcement
  }

  /** Removes every task and the directory. Throws when something of a task cannot be removed. */
  async dispose(): Promise<void> {
    try {
      for (const supervisor of this.#supervisors) await supervisor.close()
      const last = new Supervisor({ stateDir: this.stateDir })
      await last.openAll()
      await Promise.all([...last.tasks.values()].map(task => task.destroy()))
      await last.close()
    } finally {
      rmSync(this.stateDir, { recursive: true, force: true })
    }
  }
}

/** All that an ended task has written. */
export async function written(task: Executor, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
  const chunks = await lastValueFrom(task.logs$(stream).pipe(toArray()))
  return Buffer.concat(chunks).toString()
}
