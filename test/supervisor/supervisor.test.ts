import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../../src/index.ts'
import { shimLives } from '../../src/task/shim-life.ts'
import { adapters, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { runFixture, startFixture } from '../support/fixture.ts'
import { assertNoProcessLeft, processesOf, taskProcesses, untilNoneLeft } from '../support/leftovers.ts'
import { output, untilOutput } from '../support/output.ts'
import { isLiving, parentOf, statOf } from '../support/process-stat.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'

const untilTerm = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'

const detaching: Section = (check, { native, platform }) => {
  check(
    'leaves the task running on close(); openAll() of another finds it and gets its result',
    async bench => {
      const task = bench.shell(untilTerm)
      await task.start()
      await untilOutput(task, 'ready')
      const key = keyOf(task)
      await bench.supervisor.close()
      assert.ok(taskProcesses(key).length > 0)
      const next = bench.another()
      assert.deepEqual(await next.openAll(), { resumed: [key], exited: [], lost: [], quarantined: [] })
      const resumed = next.tasks.get(key)
      assert.ok(resumed)
      const result = resumed.wait()
      await resumed.signal('SIGTERM')
      assert.equal((await result).exitCode, 9)
      assert.equal((await result).cause, 'exited')
      assert.equal(await output(resumed), 'ready\n')
    },
  )

  check('has one actor for a task that is opened several times at once', async bench => {
    const task = bench.shell(untilTerm)
    await task.start()
    await untilOutput(task, 'ready')
    const id = task.id()
    await bench.supervisor.close()
    const next = bench.another()
    const results: string[] = []
    next.results$.subscribe(({ task: { key } }) => results.push(key))
    const faces = await Promise.all([next.open(id), next.open(id), next.openAll().then(() => next.open(id))])
    assert.equal(new Set(faces.map(({ actor }) => actor)).size, 1)
    await faces[0]?.shutdown()
    assert.deepEqual(await Promise.all(faces.map(async face => (await face.wait()).exitCode)), [9, 9, 9])
    assert.equal(results.length, 1)
  })

  check('finds the result of a task that has ended in between', async bench => {
    const task = bench.shell('exit 6')
    await task.start()
    const key = keyOf(task)
    await bench.supervisor.close()
    const next = bench.another()
    const report = await next.openAll()
    assert.deepEqual([...report.exited, ...report.resumed], [key])
    const { exitCode, evidence } = (await next.tasks.get(key)?.wait()) ?? {}
    assert.deepEqual({ exitCode, evidence }, { exitCode: 6, evidence: 'record' })
  })

  check('goes on with the deadline of a stop that an earlier supervisor began', async bench => {
    const task = bench.shell('trap "" TERM; echo ready; while :; do sleep 1; done')
    await task.start()
    await untilOutput(task, 'ready')
    const key = keyOf(task)
    // Long enough for close() to come before it is over, however slow the host.
    const told = task.shutdown({ graceMs: 3000 }).catch((error: Error) => error)
    await bench.supervisor.close()
    assert.ok((await told) instanceof Error)
    const next = bench.another()
    await next.openAll()
    const { cause, signal } = (await next.tasks.get(key)?.wait()) ?? {}
    assert.deepEqual({ cause, signal }, { cause: 'forced', signal: 'SIGKILL' })
  })

  check('lets a program end that starts a task and does not wait for it; the task goes on', async bench => {
    const { stdout } = await runFixture('start.ts', {
      stateDir: bench.stateDir,
      arguments: [platform, 'leave', 'sleep 1000'],
    })
    const task = await bench.supervisor.open(stdout.trim())
    assert.equal(task.state, 'running')
    assert.equal((await task.shutdown()).signal, 'SIGTERM')
  })

  // Who holds the program up is the same code everywhere; what is held differs between the spawners.
  for (const mode of platform === 'linux' ? [] : native ? ['wait', 'listen'] : ['wait']) {
    check(
      `keeps a program running that ${mode === 'wait' ? 'waits for its task' : 'listens to results'}`,
      async bench => {
        const { stdout } = await runFixture('start.ts', {
          stateDir: bench.stateDir,
          arguments: [platform, mode, 'sleep 0.3; exit 5'],
        })
        assert.match(stdout, /\nexit 5\n$/)
      },
    )
  }

  check('gives two supervisors of one state directory the same result', async bench => {
    const task = bench.shell(untilTerm)
    await task.start()
    await untilOutput(task, 'ready')
    const others = [bench.another(), bench.another()]
    for (const other of others) await other.openAll()
    const results = [task, ...others.flatMap(({ tasks }) => [...tasks.values()])].map(held => held.wait())
    await others[0]?.shutdown({ graceMs: 10_000 })
    const [first, ...more] = await Promise.all(results)
    assert.equal(more.length, 2)
    assert.deepEqual([first?.exitCode, first?.cause], [9, 'shutdown'])
    for (const result of more) assert.deepEqual(result, first)
  })
}

const dying: Section = (check, { native, platform }) => {
  check(
    'says lost, by inference and without a number, when the shim was killed; nothing is left',
    async bench => {
      const task = bench.shell('sleep 1000 & echo ready; sleep 1000')
      await task.start()
      await untilOutput(task, 'ready')
      process.kill(startRecordOf(task).shim.pid, 'SIGKILL')
      const { cause, evidence, exitCode, signal, usage, error, successful, logsComplete } = await task.wait()
      assert.deepEqual(
        { cause, evidence, exitCode, signal, usage, code: error?.code, successful, logsComplete },
        {
          cause: 'lost',
          evidence: 'inferred',
          exitCode: null,
          signal: null,
          usage: null,
          code: 'LOST',
          successful: false,
          logsComplete: false,
        },
      )
      await assertNoProcessLeft(task)
    },
  )

  check('says lost of a task whose shim was killed while nobody looked', async bench => {
    const task = bench.shell('echo ready; sleep 1000')
    await task.start()
    await untilOutput(task, 'ready')
    const key = keyOf(task)
    const record = startRecordOf(task)
    const directory = directoryOf(task)
    await bench.supervisor.close()
    process.kill(record.shim.pid, 'SIGKILL')
    // A process that dies closes its files before it is a zombie, and of several threads each in its turn.
    while (shimLives(directory, record)) await setImmediate()
    const next = bench.another()
    assert.deepEqual(await next.openAll(), { resumed: [], exited: [], lost: [key], quarantined: [] })
    assert.deepEqual(processesOf(key), [])
    // Written down: whoever comes later is told the same.
    await next.close()
    const later = bench.another()
    const report = await later.openAll()
    assert.deepEqual(report.lost, [key])
    assert.equal((await later.tasks.get(key)?.wait())?.cause, 'lost')
  })

  if (native) {
    check(
      'loses nothing when the spawner is killed: tasks and results go on, and the next start has a new one',
      async bench => {
        const task = bench.shell(untilTerm)
        await task.start()
        await untilOutput(task, 'ready')
        const spawner = spawnerOf(task)
        process.kill(spawner, 'SIGKILL')
        await gone(spawner)
        const next = bench.shell('echo ready; sleep 1000')
        await next.start()
        assert.notEqual(spawnerOf(next), spawner)
        assert.equal(task.state, 'running')
        const result = task.wait()
        await task.signal('SIGTERM')
        assert.equal((await result).exitCode, 9)
        assert.equal((await result).evidence, 'record')
        assert.equal((await next.forceStop()).cause, 'forced')
      },
    )

    check('answers every start that was under way when the spawner was killed', async bench => {
      const first = bench.command('/bin/sleep', '1000')
      await first.start()
      const spawner = spawnerOf(first)
      const tasks = Array.from({ length: 10 }, () => bench.command('/bin/sleep', '1000'))
      const starts = tasks.map(task => task.start())
      process.kill(spawner, 'SIGKILL')
      const answers = await Promise.allSettled(starts)
      for (const [index, answer] of answers.entries()) {
        const task = tasks[index] as Executor
        if (answer.status === 'fulfilled') assert.equal((await task.forceStop()).cause, 'forced')
        else {
          assert.equal((answer.reason as { code?: string }).code, 'START_FAILED')
          await untilNoneLeft([keyOf(task)])
        }
      }
    })
  }

  const delays = platform === 'linux' ? [2, 15] : native ? [0, 5, 30] : [150]
  for (const delayMs of delays) {
    check(
      `can be killed ${delayMs} ms into starting tasks: each is found again or was never there`,
      async bench => {
        await startFixture('start.ts', {
          stateDir: bench.stateDir,
          arguments: [platform, `die ${delayMs}`, 'sleep 1000'],
        })
        const next = bench.another()
        const report = await next.openAll()
        assert.deepEqual(report.quarantined, [])
        for (const key of report.resumed) {
          const task = next.tasks.get(key)
          assert.ok(task)
          assert.equal(task.state, 'running', key)
          // It is found as soon as it is recorded, a moment before its exec: killed by then, it would be a
          // failed start.
          while (!taskProcesses(key).some(runsScript)) await sleep(5)
          assert.equal((await task.forceStop()).cause, 'forced')
        }
        for (const key of [...report.exited, ...report.lost]) {
          const result = await next.tasks.get(key)?.wait()
          assert.equal(
            result?.successful,
            false,
            `${key} was started by nobody and has ended well: ${JSON.stringify(result)}`,
          )
        }
        // No process without a task that answers for it. The shim of one that was never there may be about to
        // see that.
        await untilNoneLeft(bench.keys())
      },
    )
  }
}

for (const adapter of adapters) {
  declare(`a supervisor of ${adapter.title} tasks`, adapter, { detaching, dying })
}

/** The parent of the task's shim; checked to be a spawner before anybody kills it. */
function spawnerOf(task: Executor): number {
  const pid = parentOf(startRecordOf(task).shim.pid)
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /\0spawner\0$/)
  return pid
}

/** Of the `sleep 1000` that start.ts is given, or its shell. */
function runsScript(pid: number): boolean {
  try {
    return /sleep[ \0]1000/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<void> {
  while (isLiving(statOf(pid))) await sleep(5)
}
