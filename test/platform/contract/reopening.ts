import { strict as assert } from 'node:assert'
import { rmSync } from 'node:fs'
import type { WaitResult } from '../../../src/index.ts'
import { runFixture } from '../../support/fixture.ts'
import { output, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { directoryOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

const waitsForNote = 'echo ready; while [ ! -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done; exit 5'

export const reopening: Section = (check, { platform }) => {
  check('gives a second supervisor the running task and its result', ['signals'], async bench => {
    const task = bench.shell('trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done')
    await task.start()
    await untilOutput(task, 'ready')
    const other = await bench.another().open(task.id())
    assert.equal(other.state, 'running')
    assert.equal(other.id(), task.id())
    assert.deepEqual(other.command, task.command)
    assert.deepEqual(other.enforcement, task.enforcement)
    const [here, there] = await Promise.all([task.wait(), other.wait(), task.signal('SIGTERM')])
    assert.equal(there.exitCode, 9)
    assert.deepEqual(there, here)
    assert.equal(await output(other), 'ready\n')
  })

  check('gives the same supervisor a second executor of the same task', async bench => {
    const task = bench.shell('exit 4')
    await task.start()
    const reopened = bench.supervisor.executor(platform)
    await reopened.open(task.id())
    assert.deepEqual(await reopened.wait(), await task.wait())
  })

  check('gives another process the result of a task that has ended, and of one that runs', async bench => {
    const ended = bench.shell('exit 6')
    await ended.start()
    const before = await ended.wait()
    const running = bench.shell(waitsForNote)
    await running.start()
    const { stdout } = await runFixture('wait.ts', {
      stateDir: bench.stateDir,
      arguments: [ended.id(), running.id()],
    })
    const told = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { state: string; result: WaitResult })
    assert.deepEqual(
      told.map(({ state, result }) => [state, result.exitCode]),
      [
        ['exited', 6],
        ['running', 5],
      ],
    )
    const here = [before, await running.wait()]
    assert.deepEqual(
      told.map(({ result }) => result),
      JSON.parse(JSON.stringify(here)),
    )
  })

  check('lets whoever took it over stop it', ['signals'], async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    const other = await bench.another().open(task.id())
    const [stopped, here] = await Promise.all([other.shutdown(), task.wait()])
    assert.equal(stopped.signal, 'SIGTERM')
    // Whoever asked is written in the record, so everybody knows that it was asked for.
    assert.equal(stopped.cause, 'shutdown')
    assert.deepEqual(here, stopped)
  })

  check('refuses an id whose task is gone', async bench => {
    const task = bench.shell('exit 0')
    await task.start()
    const id = task.id()
    await task.destroy()
    await refuses(bench.supervisor.open(id), { code: 'NOT_FOUND', hint: /./ })
    await refuses(bench.another().open(id), { code: 'NOT_FOUND' })
  })

  check('refuses what is no id', async bench => {
    for (const id of [
      '',
      'nonsense',
      'holdfast:1:../../etc:/tmp',
      'holdfast:1:abc:/tmp',
      'holdfast:2:aaaaaaaaaaaaaa:/tmp',
    ]) {
      await refuses(bench.supervisor.open(id), { code: 'INVALID_ARGUMENT', message: /^id: / })
    }
  })

  check('never takes the absence of evidence for success', async bench => {
    const task = bench.shell('exit 0')
    await task.start()
    await task.wait()
    // Ended, and nothing says how: what the original called valid.
    await bench.supervisor.close()
    for (const name of ['exit.json', 'task.json']) rmSync(`${directoryOf(task)}/${name}`)
    await refuses(bench.another().open(task.id()), { code: 'STATE_CORRUPT' })
  })
}
