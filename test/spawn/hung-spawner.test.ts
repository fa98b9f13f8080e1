import { strict as assert } from 'node:assert'
import childProcess, { type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { Supervisor } from '../../src/index.ts'
import { readProcess } from '../../src/spawn/process-table.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { eventually } from '../support/eventually.ts'
import { untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('a spawner that hangs', function () {
  this.timeout(180_000)
  let stateDir: string
  let supervisor: Supervisor
  before(function () {
    requires(this, 'native')
    assert.ok('path' in nativeProgram())
  })
  beforeEach(() => {
    stateDir = temporaryDirectory('hung')
    supervisor = new Supervisor({ stateDir })
  })
  afterEach(async () => {
    for (const task of [...supervisor.tasks.values()]) await task.destroy()
    await supervisor.close()
    removeTemporary(stateDir)
  })

  const shell = (script: string) => {
    const task = supervisor.executor('basic')
    Object.assign(task.command, { path: '/bin/sh', args: ['-c', script] })
    return task
  }
  const stopSpawner = (key: string): number => {
    const { spec } = JSON.parse(readFileSync(join(stateDir, 'tasks', key, 'task.json'), 'utf8')) as {
      spec: { launchers: { pid: number }[] }
    }
    const pid = spec.launchers[1]?.pid as number
    process.kill(pid, 'SIGSTOP')
    return pid
  }

  it('holds up no start: another takes its place; the end of its tasks is told from their records', async () => {
    const first = shell('trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done')
    await first.start()
    await untilOutput(first, 'ready')
    const pid = stopSpawner(first.key)
    const second = shell('exit 5')
    await second.start()
    assert.equal((await second.wait()).exitCode, 5)
    await eventually(() => assert.equal(readProcess(pid), null))
    const { exitCode, evidence, cause } = await first.shutdown({ graceMs: 60_000 })
    assert.deepEqual({ exitCode, evidence, cause }, { exitCode: 7, evidence: 'record', cause: 'shutdown' })
    assert.equal(supervisor.spawnerRestarts, 1)
  })

  it('does not make a task that ends lost', async () => {
    const task = shell('sleep 1000')
    await task.start()
    stopSpawner(task.key)
    const { cause, evidence } = await task.forceStop()
    assert.deepEqual({ cause, evidence }, { cause: 'forced', evidence: 'record' })
  })

  it('holds up no close(); the task goes on', async () => {
    const task = shell('sleep 1000')
    await task.start()
    stopSpawner(task.key)
    await supervisor.close()
    const next = new Supervisor({ stateDir })
    supervisor = next
    const again = await next.open(task.id())
    assert.equal(again.state, 'running')
  })
})

describe('a spawn that throws', function () {
  const { spawn } = childProcess
  afterEach(() => {
    childProcess.spawn = spawn
    syncBuiltin()
  })
  const syncBuiltin = (): void => syncBuiltinESMExports()
  before(function () {
    requires(this, 'native')
  })

  for (const [code, expected] of [
    ['ENOMEM', { code: 'START_FAILED', stage: 'spawner', errno: 'ENOMEM', hint: /memory/ }],
    ['ERR_ACCESS_DENIED', { code: 'PERMISSION', stage: 'spawner', hint: /--allow-child-process/ }],
  ] as const)
    it(`${code}: is told as what it is, and a later start works when the cause is gone`, async () => {
      const stateDir = temporaryDirectory('throws')
      const supervisor = new Supervisor({ stateDir })
      const task = () => {
        const made = supervisor.executor('basic')
        Object.assign(made.command, { path: '/bin/true' })
        return made
      }
      childProcess.spawn = ((): ChildProcess => {
        throw Object.assign(new Error(`spawn ${code}`), { code, permission: 'ChildProcess' })
      }) as typeof spawn
      syncBuiltin()
      await refuses(task().start(), expected)
      childProcess.spawn = spawn
      syncBuiltin()
      const later = task()
      await later.start()
      assert.equal((await later.wait()).exitCode, 0)
      await later.destroy()
      await supervisor.close()
      removeTemporary(stateDir)
    })

  it('start() after destroy() says so, and nothing of a supervisor', async () => {
    const supervisor = new Supervisor({ stateDir: temporaryDirectory('destroyed') })
    const task = supervisor.command('true')
    await task.destroy()
    await refuses(task.start(), { code: 'INVALID_STATE', message: /start\(\) .* has been destroyed$/ })
    await supervisor.close()
  })
})
