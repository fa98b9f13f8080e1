import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../src/index.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { PortableSpawner } from '../../src/spawn/portable/portable-spawner.ts'
import { watchSetUp } from '../../src/spawn/portable/set-up-watch.ts'
import { isAlive, type ProcessEntry, processTable, readProcess } from '../../src/spawn/process-table.ts'
import { isStopped } from '../../src/spawn/send-signal.ts'
import { readStart } from '../../src/spawn/records.ts'
import { eventually } from '../support/eventually.ts'
import { minimalSpec } from '../support/launch-spec.ts'
import { untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf } from '../support/task-key.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/** As test/spawn/stopped-set-up.test.ts and test/attacks/second-way.test.ts have it for the native one. */
describe('a portable shim that somebody stops, or takes its FIFO from', () => {
  const before_ = process.env.HOLDFAST_NATIVE
  before(function () {
    requires(this, 'linux')
    process.env.HOLDFAST_NATIVE = 'off'
  })
  after(() => {
    if (before_ === undefined) delete process.env.HOLDFAST_NATIVE
    else process.env.HOLDFAST_NATIVE = before_
  })

  it('before it has answered: it is killed with what it had started, and the start is refused', async () => {
    const dir = temporaryDirectory('stopped')
    const keepAlive = new KeepAlive()
    const release = keepAlive.hold()
    const spawner = new PortableSpawner(keepAlive, { checkMs: 10, stopped: 5, all: 10_000 })
    const known = new Set(children())
    const node = process.execPath
    // It is stopped before it can answer, however late we would come.
    const stopped = join(temporaryDirectory('node'), 'node')
    writeFileSync(stopped, `#!/bin/sh\nkill -STOP $$; exec '${node}' "$@"\n`, { mode: 0o755 })
    process.execPath = stopped
    const launching = spawner.launch({ ...minimalSpec, dir, noNewPrivileges: false })
    process.execPath = node
    const [shim = assert.fail('there is none')] = children().filter(pid => !known.has(pid))
    await assert.rejects(launching, { stage: 'fork', detail: 'the shim was stopped during set-up' })
    assert.equal(readProcess(shim), null)
    release()
    removeTemporary(dir)
  })

  it('what it had started goes with it, whether or not that is recorded', async () => {
    const shim = spawn('/bin/sh', ['-c', 'sleep 1000 & kill -STOP $$'], { stdio: 'ignore' })
    const child = () => processTable().find(({ parent }) => parent === shim.pid)
    await eventually(() => assert.ok(child() && readProcess(shim.pid ?? 0)?.state === 'T'))
    const { pid, startTime } = child() as ProcessEntry
    const told: string[] = []
    watchSetUp(shim, why => told.push(why), { checkMs: 10, stopped: 5, all: 10_000 })
    await once(shim, 'exit')
    await eventually(() => assert.ok(!isAlive({ pid, startTime })))
    assert.deepEqual(told, ['the shim was stopped during set-up'])
  })

  it('and one that does not answer in time likewise', async () => {
    const dir = temporaryDirectory('silent')
    const spawner = new PortableSpawner(new KeepAlive(), { checkMs: 1, stopped: 5, all: 1 })
    const launching = spawner.launch({ ...minimalSpec, dir, noNewPrivileges: false })
    const held = setInterval(() => {}, 1000)
    await assert.rejects(launching, { stage: 'fork', detail: /longer than it may/ })
    clearInterval(held)
    removeTemporary(dir)
  })

  it('while its task runs: forceStop() continues it, and it says how that went', () =>
    withWorkbench('basic', async bench => {
      const { task, shim } = await ready(bench, 'echo ready; sleep 1000')
      process.kill(shim.pid, 'SIGSTOP')
      await eventually(() => assert.ok(isStopped(shim)))
      const { cause, evidence, signal } = await task.forceStop()
      assert.deepEqual([cause, evidence, signal], ['forced', 'record', 'SIGKILL'])
    }))

  it('while its task runs: the time limit is kept, and recorded', () =>
    withWorkbench('basic', async bench => {
      bench.another({ shutdown: { graceMs: 100 } })
      const began = performance.now()
      const { task, shim } = await ready(bench, 'echo ready; sleep 1000')
      // From its start, and not before its shim is stopped.
      await task.update({ wallTimeMs: Math.ceil(performance.now() - began) + 3000 })
      process.kill(shim.pid, 'SIGSTOP')
      const { cause, evidence } = await task.wait()
      assert.deepEqual([cause, evidence], ['timeout', 'record'])
      await eventually(() => assert.ok(!isAlive(shim)))
    }))

  it('its directory is deleted while it is stopped: the task is killed all the same', () =>
    withWorkbench('basic', async bench => {
      const { task, shim, leader, dir } = await ready(bench, 'echo ready; exec sleep 1000')
      process.kill(shim.pid, 'SIGSTOP')
      rmSync(dir, { recursive: true })
      assert.equal((await task.forceStop()).cause, 'forced')
      await eventually(() => assert.ok(!isAlive(shim) && !isAlive(leader)))
    }))

  const slow = (seconds: number) =>
    `trap "sleep ${seconds}; exit 3" TERM; echo ready; while :; do sleep 0.02; done`

  it('without its FIFO a graceful stop has the grace that was asked for, not that of the start', () =>
    withWorkbench('basic', async bench => {
      bench.another({ shutdown: { graceMs: 10 } })
      const { task, dir } = await ready(bench, slow(0.5))
      unlinkSync(join(dir, 'control'))
      const { cause, exitCode } = await task.shutdown({ graceMs: 60_000, target: 'leader' })
      assert.deepEqual([cause, exitCode], ['shutdown', 3])
    }))

  it('control: a signal without a word leaves it that of the start', () =>
    withWorkbench('basic', async bench => {
      bench.another({ shutdown: { graceMs: 10 } })
      const { task, shim } = await ready(bench, slow(1000))
      process.kill(shim.pid, 'SIGTERM')
      const { cause, signal } = await task.wait()
      assert.deepEqual([cause, signal], ['forced', 'SIGKILL'])
    }))

  it('a terminal is refused by its name, since only the native program has one', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('true')
      task.command.terminal = { rows: 24, columns: 80 }
      await refuses(task.start(), { code: 'UNSUPPORTED', message: /command\.terminal/ })
    }))
})

async function ready(bench: Workbench, script: string) {
  const task: Executor = bench.shell(script)
  await task.start()
  await untilOutput(task, 'ready')
  const dir = directoryOf(task)
  const start = readStart(dir)
  assert.ok(start !== null && 'shim' in start)
  return { task, dir, shim: start.shim, leader: start.task }
}

/** Each with a group of its own, as a shim has one: what compiles these tests is a child as well. */
function children(): number[] {
  return processTable()
    .filter(({ parent, pid, group }) => parent === process.pid && group === pid)
    .map(({ pid }) => pid)
}
