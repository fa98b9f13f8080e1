import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { filter, firstValueFrom } from 'rxjs'
import { AllocDir } from '../../../src/index.ts'
import { assertNoProcessLeft } from '../../support/leftovers.ts'
import { output, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import type { Section } from './adapter.ts'

const deaf = 'trap "" TERM; echo ready; while :; do sleep 1; done'

/** A leader and its child, both of which listen at `ready`. At its signal it does `first`, and ends. */
const withChild = (first: string) => `cd $HOLDFAST_TASK_DIR
  (trap "echo child told; exit" TERM; : > listens; while :; do sleep 0.05; done) & trap "${first}; exit 4" TERM
  until [ -e listens ]; do sleep 0.02; done; echo ready; while :; do sleep 0.05; done`

export const stopping: Section = check => {
  check('kills at once with forceStop(), and the work is not done', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['worker'])
    const task = bench.shell('echo ready; sleep 1000; touch $HOLDFAST_TASK_DIR/done')
    await task.configureTaskDir('worker', alloc)
    await task.start()
    await untilOutput(task, 'ready')
    const { exitCode, signal, cause } = await task.forceStop()
    assert.deepEqual({ exitCode, signal, cause }, { exitCode: null, signal: 'SIGKILL', cause: 'forced' })
    await assertNoProcessLeft(task)
    assert.equal(existsSync(join(alloc.path, 'worker/local/done')), false)
  })

  check('ends an ordinary program with SIGTERM', ['signals'], async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    const { exitCode, signal, cause } = await task.shutdown()
    assert.deepEqual({ exitCode, signal, cause }, { exitCode: null, signal: 'SIGTERM', cause: 'shutdown' })
  })

  check('sends the signal that was asked for', ['signals'], async bench => {
    const task = bench.shell('trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 0.05; done')
    await task.start()
    await untilOutput(task, 'ready')
    const { exitCode, cause } = await task.shutdown({ signal: 'SIGINT' })
    assert.deepEqual({ exitCode, cause }, { exitCode: 3, cause: 'shutdown' })
    assert.equal(await output(task), 'ready\ninterrupted\n')
  })

  for (const graceMs of [0, 10_000]) {
    const needs = graceMs === 0 ? [] : (['signals'] as const)
    check(`stops a task that has just been started, with ${graceMs} ms of grace`, needs, async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.start()
      const { exitCode, signal } = await task.shutdown({ graceMs })
      assert.equal(exitCode, null)
      assert.equal(signal, graceMs === 0 ? 'SIGKILL' : 'SIGTERM')
    })
  }

  for (const target of ['group', 'leader'] as const) {
    check(
      `gives the first signal to the ${target}, and what the leader leaves behind is killed`,
      ['signals'],
      async bench => {
        // A child that should not be told has some time to say that it was.
        const task = bench.shell(withChild(target === 'group' ? 'wait $!' : 'sleep 0.5'))
        await task.start()
        await untilOutput(task, 'ready')
        const { exitCode, cause } = await task.shutdown({ graceMs: 10_000, target })
        assert.deepEqual({ exitCode, cause }, { exitCode: 4, cause: 'shutdown' })
        assert.equal((await output(task)).includes('child told'), target === 'group')
        await assertNoProcessLeft(task)
      },
    )
  }

  check(
    'asks of the leader alone what it ignores, and forces the whole tree when the grace is over',
    async bench => {
      const task = bench.shell(deaf)
      await task.start()
      await untilOutput(task, 'ready')
      const { signal, cause } = await task.shutdown({ graceMs: 150, target: 'leader' })
      assert.deepEqual({ signal, cause }, { signal: 'SIGKILL', cause: 'forced' })
      await assertNoProcessLeft(task)
    },
  )

  check('forces what ignores SIGTERM when the grace is over', async bench => {
    const task = bench.shell(deaf)
    await task.start()
    await untilOutput(task, 'ready')
    const { exitCode, signal, cause } = await task.shutdown({ graceMs: 150 })
    assert.deepEqual({ exitCode, signal, cause }, { exitCode: null, signal: 'SIGKILL', cause: 'forced' })
    await assertNoProcessLeft(task)
  })

  check('wakes a stopped task so that it can end in order', ['signals'], async bench => {
    const task = bench.shell('trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done')
    await task.start()
    await untilOutput(task, 'ready')
    await task.signal('SIGSTOP')
    assert.equal((await task.shutdown({ graceMs: 10_000 })).exitCode, 5)
  })

  check('stops a task that is being started', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    const started = task.start()
    await firstValueFrom(task.state$.pipe(filter(state => state === 'limited')))
    const stopped = task.shutdown({ graceMs: 0 })
    await started
    assert.equal((await stopped).signal, 'SIGKILL')
  })

  check(
    'answers a second shutdown() with the same result, during the first and after the end',
    async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.start()
      const [first, second] = await Promise.all([task.shutdown({ graceMs: 1000 }), task.shutdown()])
      assert.deepEqual(second, first)
      assert.deepEqual(await task.shutdown({ signal: 'SIGINT', graceMs: 0 }), first)
      assert.deepEqual(await task.forceStop(), first)
      assert.deepEqual(await task.wait(), first)
    },
  )

  check('cuts the grace short when forceStop() comes during a shutdown()', async bench => {
    const task = bench.shell(deaf)
    await task.start()
    await untilOutput(task, 'ready')
    const graceful = task.shutdown({ graceMs: 3_600_000 })
    const forced = await task.forceStop()
    assert.deepEqual(await graceful, forced)
    assert.equal(forced.signal, 'SIGKILL')
    assert.equal(forced.cause, 'forced')
  })

  check('answers a stop of a task that has ended by itself with its own result', async bench => {
    const task = bench.shell('exit 3')
    await task.start()
    const result = await task.wait()
    assert.equal(result.cause, 'exited')
    assert.deepEqual(await task.shutdown(), result)
    assert.deepEqual(await task.forceStop(), result)
  })

  check('delivers signal() to a trap, and the task goes on', ['signals'], async bench => {
    const task = bench.shell('trap "echo usr1" USR1; echo ready; while :; do sleep 0.02; done')
    await task.start()
    await untilOutput(task, 'ready')
    await task.signal('SIGUSR1')
    await untilOutput(task, 'usr1')
    assert.equal(task.state, 'running')
    await refuses(task.signal('SIGNONSENSE' as NodeJS.Signals), { code: 'INVALID_ARGUMENT' })
  })

  check('stops the output of a chatty writer', async bench => {
    const task = bench.shell('echo ready; yes & yes & wait')
    await task.start()
    await untilOutput(task, 'y\ny\n')
    await task.shutdown({ graceMs: 100 })
    const length = (await output(task)).length
    assert.ok(length > 6)
    await assertNoProcessLeft(task)
    assert.equal((await output(task)).length, length)
  })

  check('forces at its wall time what ignores SIGTERM, and the cause is still timeout', async bench => {
    const task = bench.commandOf(bench.another({ shutdown: { graceMs: 100 } }), '/bin/sh', '-c', deaf)
    await task.limit({ wallTimeMs: 1500 })
    await task.start()
    const { signal, cause } = await task.wait()
    assert.equal(await output(task), 'ready\n', 'it ignored the signal by then')
    assert.deepEqual({ signal, cause }, { signal: 'SIGKILL', cause: 'timeout' })
  })

  check('refuses bad stop options and goes on', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    await refuses(task.shutdown({ graceMs: -1 }), { code: 'INVALID_ARGUMENT', message: /graceMs/ })
    await refuses(task.shutdown({ graceMs: Number.NaN }), { code: 'INVALID_ARGUMENT' })
    await refuses(task.shutdown({ signal: 'TERM' as NodeJS.Signals }), {
      code: 'INVALID_ARGUMENT',
      message: /signal/,
    })
    assert.equal(task.state, 'running')
  })
}
