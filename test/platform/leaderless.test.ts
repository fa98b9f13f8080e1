import { strict as assert } from 'node:assert'
import { attacker } from '../attacks/hostile.ts'
import { endTask } from '../../src/task/end-task.ts'
import type { Executor } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { output, untilOutput } from '../support/output.ts'
import { isLiving, statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, startRecordOf } from '../support/task-key.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/** Its first thread has ended: /proc/PID/stat says Z, and most of /proc/PID is empty. */
async function leaderless(task: Executor): Promise<Executor> {
  await task.start()
  await untilOutput(task, 'ready')
  assert.equal(statOf(startRecordOf(task).task.pid)?.state, 'Z')
  return task
}

const isolated = (test: (bench: Workbench) => Promise<void>) =>
  async function (this: Mocha.Context): Promise<void> {
    requires(this, 'linux', 'isolation', 'native')
    await withWorkbench('linux', test)
  }

const basic = (test: (bench: Workbench) => Promise<void>) =>
  async function (this: Mocha.Context): Promise<void> {
    requires(this, 'linux')
    await withWorkbench('basic', test)
  }

describe('a task whose first thread has ended, and another goes on', function () {
  this.timeout(60_000)

  it(
    'is read back as it is',
    isolated(async bench => {
      const task = attacker(bench, 'leaderless')
      await task.limit({ rlimits: { nofile: [64, 128] } })
      await leaderless(task)
      const { verdict, live, rows } = await task.verify()
      assert.deepEqual(
        [rows.filter(row => row.verdict !== 'holds' && row.inForce !== null), live],
        [[], true],
      )
      for (const name of ['seccomp', 'root', 'namespace.mount', 'user', 'rlimits.nofile'])
        assert.equal(rows.find(row => row.name === name)?.verdict, 'holds', name)
      assert.equal(verdict, 'holds')
    }),
  )

  it(
    'takes exec sessions in, and those are its own to verify',
    isolated(async bench => {
      const task = await leaderless(attacker(bench, 'leaderless'))
      const session = bench.shellIn(task, 'echo ready; while :; do sleep 0.05; done')
      await session.start()
      await untilOutput(session, 'ready')
      const { verdict, live, rows } = await session.verify()
      assert.deepEqual([verdict, live], ['holds', true])
      assert.equal(rows.find(({ name }) => name === 'inside')?.verdict, 'holds')
      assert.equal((await session.forceStop()).cause, 'forced')
      const ended = bench.exec(task, '/bin/sh', '-c', 'kill -9 $$')
      await ended.start()
      const { cause, signal } = await ended.wait()
      assert.deepEqual([cause, signal], ['signaled', 'SIGKILL'])
    }),
  )

  it(
    'is stopped as any other, also where it is an exec session',
    isolated(async bench => {
      const task = await leaderless(attacker(bench, 'leaderless'))
      const session = await leaderless(bench.exec(task, '/tmp/hostile/leaderless'))
      const { pid } = startRecordOf(session).task
      assert.equal((await session.forceStop()).cause, 'forced')
      assert.equal(statOf(pid), null)
      const { cause, signal, error } = await task.shutdown()
      assert.deepEqual([cause, signal, error], ['shutdown', 'SIGTERM', null])
    }),
  )

  it(
    'is killed when its shim is gone, which the kernel would do only to a child of the native one',
    basic(bench =>
      withVariable('HOLDFAST_NATIVE', 'off', async () => {
        const task = await leaderless(attacker(bench, 'leaderless'))
        const start = startRecordOf(task)
        process.kill(start.shim.pid, 'SIGKILL')
        await eventually(() => assert.equal(isLiving(statOf(start.shim.pid)), false))
        assert.deepEqual(await endTask(directoryOf(task), start), [])
        assert.equal(isLiving(statOf(start.task.pid)), false)
        assert.equal((await task.wait()).cause, 'lost')
      }),
    ),
  )

  it(
    'uses what it uses (basic)',
    basic(async bench => {
      const task = await leaderless(attacker(bench, 'leaderless'))
      const { pids, memoryBytes } = await task.usage()
      assert.equal(pids, 1)
      assert.ok((memoryBytes ?? 0) > 0)
      assert.match(await output(task), /^ready/)
      const { live } = await task.verify()
      assert.equal(live, true)
    }),
  )
})
