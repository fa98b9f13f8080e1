import { strict as assert } from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ProcessIdentity } from '../../machines/index.ts'
import { identify } from '../../src/spawn/process-table.ts'
import { eventually } from './eventually.ts'
import { statOf } from './process-stat.ts'

/** A process that does nothing, for what is done to processes; its test has to `end()` it. */
export class Sleeper {
  readonly #child: ChildProcess
  readonly identity: ProcessIdentity

  constructor() {
    this.#child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' })
    this.identity = identify(this.#child.pid ?? 0) ?? assert.fail('no process was started')
  }

  get pid(): number {
    return this.identity.pid
  }

  /** A letter of the kernel's; null when it is gone. */
  get state(): string | null {
    return statOf(this.pid)?.state ?? null
  }

  /** Stopped, as by a Ctrl-Z. */
  async stop(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP')
    await eventually(() => assert.equal(this.state, 'T'))
  }

  /** Dead and reaped. Idempotent. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}
