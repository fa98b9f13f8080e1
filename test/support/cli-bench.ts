import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Executor, Supervisor } from '../../src/index.ts'
import { type Said, said } from './command-line.ts'
import { removeTemporary, temporaryDirectory } from './temporary.ts'

/** A state directory, the command line on it, and tasks in it that are started by that. */
export class CliBench {
  readonly stateDir = temporaryDirectory('cli')

  say(words: readonly string[], caller?: Parameters<typeof said>[1]): Promise<Said> {
    return said(['--state-dir', this.stateDir, ...words], caller)
  }

  /** Starts a task without isolation and leaves it running. Resolves to its key. */
  async detached(name: string, command: readonly string[], flags: readonly string[] = []): Promise<string> {
    const words = ['run', '--basic', '--detach', '-q', '--name', name, ...flags, '--', ...command]
    const { code, stdout, stderr } = await this.say(words)
    assert.equal(code, 0, stderr)
    return stdout.trim()
  }

  /** The same, and waits for its end. */
  async ended(name: string, command: readonly string[], flags?: readonly string[]): Promise<string> {
    const key = await this.detached(name, command, flags)
    await this.say(['wait', key])
    return key
  }

  /** Its records cannot be used any more. */
  spoil(key: string): void {
    writeFileSync(join(this.stateDir, 'tasks', key, 'task.json'), 'no JSON')
  }

  /** Something else has its hands on a task meanwhile. */
  async with<Value>(key: string, use: (task: Executor) => Promise<Value>): Promise<Value> {
    const supervisor = new Supervisor({ stateDir: this.stateDir })
    try {
      await supervisor.openAll()
      return await use(supervisor.tasks.get(key) ?? assert.fail(`there is no task ${key}`))
    } finally {
      await supervisor.close()
    }
  }

  /** Leaves no task behind, whatever a test did. */
  async dispose(): Promise<void> {
    const supervisor = new Supervisor({ stateDir: this.stateDir })
    const { quarantined } = await supervisor.openAll()
    await Promise.all([...supervisor.tasks.values()].map(task => task.destroy()))
    for (const { key } of quarantined) await supervisor.discard(key)
    await supervisor.close()
    removeTemporary(this.stateDir)
  }
}
