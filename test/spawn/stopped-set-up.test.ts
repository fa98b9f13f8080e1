import { strict as assert } from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFifos } from '../../src/index.ts'
import type { PlatformName } from '../../src/platform/port.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { readProcess } from '../../src/spawn/process-table.ts'
import { encodeLaunch } from '../../src/spawn/wire.ts'
import type { TaskExecutor } from '../../src/task/task-executor.ts'
import { compiled } from '../attacks/hostile.ts'
import { eventually } from '../support/eventually.ts'
import { childrenOf } from '../support/held.ts'
import { minimalSpec } from '../support/launch-spec.ts'
import { isLiving, statOf } from '../support/process-stat.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/**
 * Somebody stops (SIGSTOP) one of our processes while a task is set up. What holds the set-up in the right
 * moment is a lease on a file that is about to be opened: the kernel lets the opener wait.
 */
describe('a process that is stopped in the midst of a set-up', function () {
  this.timeout(120_000)
  const leases: ChildProcess[] = []
  before(async function () {
    requires(this, 'linux', 'native', 'isolation')
    // What is looked at once in a process is not to be what a lease keeps waiting.
    await withWorkbench('basic', async bench => {
      const task = bench.command('true')
      await task.start()
      await task.wait()
    })
  })
  afterEach(async () => {
    for (const lease of leases.splice(0)) if (lease.kill('SIGKILL')) await once(lease, 'exit')
  })

  async function leased(path: string): Promise<ChildProcess> {
    const lease = spawn(compiled('leaser'), [path], { stdio: ['ignore', 'pipe', 'inherit'] })
    leases.push(lease)
    await once(lease.stdout, 'data')
    return lease
  }

  /** A task whose program cannot be executed for the moment: set up otherwise, its start recorded. */
  async function held(
    bench: Workbench,
  ): Promise<{ task: TaskExecutor; begun: Promise<void>; lease: ChildProcess }> {
    const directory = bench.directory()
    const program = join(directory, 'program')
    copyFileSync('/bin/true', program)
    chmodSync(program, 0o755)
    const lease = await leased(program)
    const task = bench.command(program) as TaskExecutor
    if (bench.platform === 'linux')
      task.command.mounts = [{ source: directory, target: directory, readOnly: true }]
    let failed: unknown = null
    const begun = task.start()
    begun.catch(error => {
      failed = error
    })
    await eventually(() => {
      if (failed !== null) throw failed as Error
      assert.ok(existsSync(recordOf(bench, task)))
    })
    return { task, begun, lease }
  }

  for (const platform of ['basic', 'linux'] as const satisfies readonly PlatformName[]) {
    it(`${platform}: the task's own process: start() is refused, nothing is left`, () =>
      withWorkbench(platform, async bench => {
        const { task, begun } = await held(bench)
        process.kill(start(bench, task).task.pid, 'SIGSTOP')
        await refuses(begun, {
          code: 'START_FAILED',
          stage: 'exec',
          message: /stopped by a signal before exec/,
        })
        assert.equal((await task.wait()).cause, 'startFailed')
      }))

    it(`${platform}: the shim: it is killed, and the task with it; how it ended nobody knows`, () =>
      withWorkbench(platform, async bench => {
        const { task, begun } = await held(bench)
        const { shim, task: own } = start(bench, task)
        process.kill(shim.pid, 'SIGSTOP')
        await begun.catch(() => {})
        const { cause, evidence, exitCode } = await task.wait()
        assert.deepEqual(
          { cause, evidence, exitCode },
          { cause: 'lost', evidence: 'inferred', exitCode: null },
        )
        for (const { pid } of [shim, own]) assert.ok(isGone(pid))
      }))

    it(`${platform}, control: what is held and not stopped starts when it is let go`, () =>
      withWorkbench(platform, async bench => {
        const { task, begun, lease } = await held(bench)
        lease.kill('SIGKILL')
        await begun
        assert.equal((await task.wait()).exitCode, 0)
      }))
  }

  it('a task that stops itself after exec is started, and stays as it is', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('kill -STOP $$; exit 3') as TaskExecutor
      await task.start()
      const { pid } = start(bench, task).task
      await eventually(() => assert.equal(readProcess(pid)?.state, 'T'))
      process.kill(pid, 'SIGCONT')
      assert.equal((await task.wait()).exitCode, 3)
    }))

  it('the shim before it has recorded anything: the spawner kills it, and says so', async () => {
    const dir = temporaryDirectory('stopped')
    writeFileSync(join(dir, 'exit.json.tmp'), '')
    await leased(join(dir, 'exit.json.tmp'))
    const native = nativeProgram()
    assert.ok('path' in native)
    const spawner = spawn(native.path, ['spawner'], { stdio: ['pipe', 'pipe', 'inherit'], env: {} })
    let said = ''
    spawner.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    spawner.stdin.write(encodeLaunch(7, { ...minimalSpec, dir, argv: ['true'], path: '/bin/true' }))
    const shim = await eventually(() => {
      const [pid = 0] = childrenOf(spawner.pid as number)
      assert.ok(pid > 0 && existsSync(join(dir, 'alive')))
      found = pid
    }).then(() => found)
    process.kill(shim, 'SIGSTOP')
    await eventually(() => assert.match(said, /^gone 7$/m))
    assert.match(said, /^failed 7 fork 0 the shim was stopped during set-up$/m)
    assert.ok(!existsSync(join(dir, 'start.json')) && isGone(shim))
    spawner.stdin.end()
    await once(spawner, 'exit')
    removeTemporary(dir)
  })
  let found = 0

  it('the spawner before it is ready: another is not waited for without end', async () => {
    const directory = temporaryDirectory('stopped')
    const native = nativeProgram()
    assert.ok('path' in native)
    const wrapper = join(directory, 'holdfast-native')
    writeFileSync(wrapper, `#!/bin/sh\n[ "$1" = spawner ] && kill -STOP $$\nexec '${native.path}' "$@"\n`, {
      mode: 0o755,
    })
    await withVariable('HOLDFAST_NATIVE', wrapper, () =>
      withWorkbench('basic', async bench => {
        await refuses(bench.command('true').start(), {
          code: 'START_FAILED',
          stage: 'spawner',
          message: /did not answer/,
        })
      }),
    )
    removeTemporary(directory)
  })

  it('a network that is a FIFO keeps nobody waiting: it is none', () =>
    withWorkbench('linux', async bench => {
      const path = join(bench.directory(), 'network')
      makeFifos(path)
      const task = bench.command('true')
      task.command.network = { path }
      await refuses(task.start(), { stage: 'network' })
    }))
})

type Start = Record<'shim' | 'task', { readonly pid: number }>

function recordOf(bench: Workbench, { key }: TaskExecutor): string {
  return join(bench.stateDir, 'tasks', key, 'start.json')
}

function start(bench: Workbench, task: TaskExecutor): Start {
  return JSON.parse(readFileSync(recordOf(bench, task), 'utf8')) as Start
}

function isGone(pid: number): boolean {
  return !isLiving(statOf(pid))
}
