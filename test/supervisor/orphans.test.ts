import { strict as assert } from 'node:assert'
import { existsSync, rmSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExitRecord } from '../../machines/index.ts'
import { setCommand } from '../../src/index.ts'
import { parseTaskId } from '../../src/task/task-id.ts'
import { adapters, type Adapter, type Check, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { startFixture } from '../support/fixture.ts'
import { assertNoProcessLeft, processesOf, taskProcesses, untilNoneLeft } from '../support/leftovers.ts'
import { untilOutput } from '../support/output.ts'
import { parentOf } from '../support/process-stat.ts'
import { refuses } from '../support/refuses.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'
import type { Workbench } from '../support/workbench.ts'

const stubborn = 'trap "" TERM HUP INT; sleep 1000 & echo ready; while :; do sleep 0.05; done'
const withDaemon = `(setsid sh -c 'trap "" TERM HUP; echo daemon; while :; do sleep 1; done' &); sleep 1000`

const killing: Section = (check, adapter) => {
  const { native, platform } = adapter

  check('dies at once when its supervisor is killed, and the next one finds how it ended', async bench => {
    const { id, kill } = await supervised(bench, adapter, 'kill', stubborn)
    const { key } = parseTaskId(id)
    await kill()
    const task = await bench.supervisor.open(id)
    const { cause, evidence, signal, exitCode } = await task.wait()
    assert.deepEqual(
      { cause, evidence, signal, exitCode },
      { cause: 'forced', evidence: 'record', signal: 'SIGKILL', exitCode: null },
    )
    const record = JSON.parse(readFileSync(join(directoryOf(task), 'exit.json'), 'utf8')) as ExitRecord
    assert.deepEqual([record.stop?.reason, record.survivors], ['orphaned', []])
    await untilNoneLeft([key])
  })

  // The portable shim says in its documentation that it cannot.
  if (native) {
    check('takes along what has forked twice and has a session of its own', async bench => {
      const { id, kill } = await supervised(bench, adapter, 'kill', withDaemon)
      const { key } = parseTaskId(id)
      await untilOutput(await bench.supervisor.open(id), 'daemon')
      assert.ok(taskProcesses(key).length >= 2)
      await kill()
      assert.equal((await (await bench.supervisor.open(id)).wait()).cause, 'forced')
      await untilNoneLeft([key])
    })

    check('lives on when only the spawner is killed; its supervisor goes on to decide', async bench => {
      const supervisor = bench.another({ orphans: 'kill' })
      const task = bench.commandOf(
        supervisor,
        '/bin/sh',
        '-c',
        'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done',
      )
      await task.start()
      await untilOutput(task, 'ready')
      const spawner = parentOf(startRecordOf(task).shim.pid)
      assert.match(readFileSync(`/proc/${spawner}/cmdline`, 'latin1'), /\0spawner\0$/)
      process.kill(spawner, 'SIGKILL')
      // The next start has to notice the death first: by then the shim has had every chance.
      const next = bench.commandOf(supervisor, '/bin/sleep', '1000')
      await next.start()
      assert.notEqual(parentOf(startRecordOf(next).shim.pid), spawner)
      await task.signal('SIGTERM')
      assert.deepEqual([(await task.wait()).exitCode, (await task.wait()).cause], [9, 'exited'])
      await supervisor.close()
      assert.equal((await (await bench.another().open(next.id())).wait()).cause, 'forced')
    })

    check(
      'is watched by its shim alone: neither the spawner nor the task hold anything of the supervisor',
      async bench => {
        const supervisor = bench.another({ orphans: 'kill' })
        const task = bench.commandOf(supervisor, '/bin/sleep', '1000')
        await task.start()
        const { shim, task: leader, init } = startRecordOf(task)
        assert.ok(openFiles(shim.pid).some(path => path.includes('/supervisors/')))
        for (const pid of [leader.pid, parentOf(shim.pid), ...(init === null ? [] : [init.pid])])
          assert.deepEqual(
            openFiles(pid).filter(path => path.includes('/supervisors/')),
            [],
          )
      },
    )
  }

  check('is dead when close() resolves; whoever waits is told how it ended', async bench => {
    const supervisor = bench.another({ orphans: 'kill' })
    const task = bench.commandOf(supervisor, '/bin/sh', '-c', stubborn)
    await task.start()
    await untilOutput(task, 'ready')
    const results: string[] = []
    supervisor.results$.subscribe(({ cause }) => results.push(cause))
    const result = task.wait()
    await supervisor.close()
    await assertNoProcessLeft(task)
    assert.deepEqual([(await result).cause, (await result).evidence], ['forced', 'record'])
    assert.deepEqual(results, ['forced'])
    assert.deepEqual(readdirSync(join(bench.stateDir, 'supervisors')), [])
    const report = await bench.another().openAll()
    assert.deepEqual([report.exited, report.resumed], [[keyOf(task)], []])
  })

  check('can be chosen for one task, or against for one', async bench => {
    const [keeper, killer] = [bench.another(), bench.another({ orphans: 'kill' })]
    const dies = keeper.executor(platform, { orphans: 'kill' })
    const stays = killer.executor(platform, { orphans: 'keep' })
    for (const task of [dies, stays]) {
      setCommand(task, '/bin/sleep', ['1000'])
      await task.start()
    }
    await keeper.close()
    await killer.close()
    const report = await bench.another().openAll()
    assert.deepEqual([report.exited, report.resumed], [[dies.key], [stays.key]])
  })

  check('does not hang on a supervisor that took it over', async bench => {
    const owner = bench.another({ orphans: 'kill' })
    const task = bench.commandOf(owner, '/bin/sleep', '1000')
    await task.start()
    const other = bench.another({ orphans: 'kill' })
    assert.deepEqual((await other.openAll()).resumed, [keyOf(task)])
    await other.close()
    assert.equal(task.state, 'running')
    assert.ok(processesOf(keyOf(task)).length > 0)
    assert.equal((await task.forceStop()).cause, 'forced')
  })

  check('can be started where somebody has removed the state directory meanwhile', async bench => {
    const stateDir = join(bench.directory(), 'state')
    const supervisor = bench.another({ orphans: 'kill', stateDir })
    const first = bench.commandOf(supervisor, '/bin/true')
    await first.start()
    await first.wait()
    rmSync(stateDir, { recursive: true })
    const next = bench.commandOf(supervisor, '/bin/sleep', '1000')
    await next.start()
    const result = next.wait()
    await supervisor.close()
    assert.equal((await result).cause, 'forced')
  })

  check('is not started by a supervisor that is closed', async bench => {
    const supervisor = bench.another({ orphans: 'kill' })
    const task = bench.commandOf(supervisor, '/bin/true')
    await supervisor.close()
    await refuses(task.start(), { code: 'INVALID_STATE' })
    assert.deepEqual(bench.keys(), [])
    assert.equal(existsSync(join(bench.stateDir, 'supervisors')), false)
  })

  for (const delayMs of platform === 'linux' ? [1, 4, 10] : native ? [0, 2, 8] : [100, 200]) {
    check(`leaves no process when its supervisor is killed ${delayMs} ms into starting five`, async bench => {
      const fixture = startFixture('own.ts', {
        stateDir: bench.stateDir,
        arguments: [platform, 'kill', '5', stubborn],
        env: environmentOf(adapter),
      })
      await lines(fixture.stdout).next()
      await sleep(delayMs)
      fixture.kill('SIGKILL')
      await fixture
      const next = bench.another()
      const report = await next.openAll()
      assert.deepEqual(report.quarantined, [])
      for (const key of report.resumed) assert.equal((await next.tasks.get(key)?.wait())?.successful, false)
      await untilNoneLeft(bench.keys())
    })
  }
}

const keeping: Section = (check: Check, adapter) => {
  check('lives on when its supervisor is killed', async bench => {
    const { id, kill } = await supervised(
      bench,
      adapter,
      'keep',
      'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done',
    )
    await kill()
    const task = await bench.supervisor.open(id)
    assert.equal(task.state, 'running')
    await untilOutput(task, 'ready')
    await task.signal('SIGTERM')
    assert.deepEqual([(await task.wait()).exitCode, (await task.wait()).cause], [9, 'exited'])
  })
}

for (const adapter of adapters)
  declare(`a ${adapter.title} task`, adapter, {
    "whose supervisor has orphans: 'kill'": killing,
    "whose supervisor has orphans: 'keep'": keeping,
  })

/** A supervisor in a program of its own, with one task that runs. */
async function supervised(bench: Workbench, adapter: Adapter, policy: 'keep' | 'kill', script: string) {
  const fixture = startFixture('own.ts', {
    stateDir: bench.stateDir,
    arguments: [adapter.platform, policy, '1', script],
    env: environmentOf(adapter),
  })
  const told = lines(fixture.stdout)
  await told.next()
  const { value: id } = await told.next()
  if (id === undefined) assert.fail((await fixture).stderr)
  return {
    id: String(id),
    kill: async () => {
      fixture.kill('SIGKILL')
      await fixture
    },
  }
}

function environmentOf({ native }: Adapter): Record<string, string> {
  return native ? {} : { HOLDFAST_NATIVE: 'off' }
}

function lines(input: NodeJS.ReadableStream): AsyncIterator<string> {
  return createInterface({ input })[Symbol.asyncIterator]()
}

/**
 * Of those at work some are closed while they are listed: a program that has just begun reads its libraries.
 */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT')
      return []
    }
  })
}
