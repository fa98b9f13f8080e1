import { strict as assert } from 'node:assert'
import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs'
import { HoldfastError, Supervisor, type SupervisorOptions, type TaskTransition } from '../../src/index.ts'
import { untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { keyOf } from '../support/task-key.ts'
import { withWorkbench } from '../support/workbench.ts'

describe('the streams of a supervisor', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  it('bring exactly one result per task, with its key and name', () =>
    withWorkbench('basic', async bench => {
      const results = lastValueFrom(bench.supervisor.results$.pipe(take(6), toArray()))
      const tasks = [0, 1, 2, 3, 4, 5].map(code => bench.shell(`exit ${code}`))
      await Promise.all(tasks.map(task => task.start()))
      const codes = new Map((await results).map(({ task, exitCode }) => [task.key, exitCode]))
      assert.deepEqual([...codes].sort(), tasks.map((task, code) => [keyOf(task), code]).sort())
      assert.deepEqual(new Set((await results).map(({ task }) => task.name)), new Set(['sh']))
      const { task: _, ...told } = (await results).find(({ exitCode }) => exitCode === 3) ?? { task: null }
      assert.deepEqual(told, await tasks[3]?.wait())
    }))

  it('give a late subscriber the results of the tasks that have ended, then those to come', () =>
    withWorkbench('basic', async bench => {
      const first = bench.shell('exit 1')
      const second = bench.shell('echo ready; sleep 1000')
      await Promise.all([first.start(), second.start()])
      await first.wait()
      const results = lastValueFrom(bench.supervisor.results$.pipe(take(2), toArray()))
      await second.forceStop()
      assert.deepEqual(
        (await results).map(({ task }) => task.key),
        [keyOf(first), keyOf(second)],
      )
      const again = await lastValueFrom(bench.supervisor.results$.pipe(take(2), toArray()))
      assert.equal(new Set(again.map(({ task }) => task.key)).size, 2)
    }))

  it('go on after a start that failed, which is a result too', () =>
    withWorkbench('basic', async bench => {
      const results = lastValueFrom(bench.supervisor.results$.pipe(take(3), toArray()))
      await refuses(bench.command('/no/such/program').start(), { code: 'START_FAILED' })
      const unplanned = bench.shell('exit 0')
      unplanned.command.user = 'no-such-user'
      await refuses(unplanned.start(), { code: 'START_FAILED' })
      await bench.shell('exit 3').start()
      const seen = await results
      assert.deepEqual(
        seen.map(({ cause }) => cause),
        ['startFailed', 'startFailed', 'exited'],
      )
      assert.equal(seen[0]?.error?.code, 'START_FAILED')
    }))

  it('bring every change of state of every task, in order and without a gap', () =>
    withWorkbench('basic', async bench => {
      const seen: TaskTransition[] = []
      bench.supervisor.transitions$.subscribe(transition => seen.push(transition))
      const tasks = Array.from({ length: 10 }, (_, index) =>
        bench.shell(index % 2 === 0 ? 'exit 0' : 'sleep 1000'),
      )
      await Promise.all(tasks.map(task => task.start()))
      await Promise.all(tasks.map((task, index) => (index % 2 === 0 ? task.wait() : task.shutdown())))
      for (const [index, task] of tasks.entries()) {
        const own = seen.filter(transition => transition.task.key === keyOf(task))
        const path =
          index % 2 === 0 ? ['limited', 'running', 'exited'] : ['limited', 'running', 'stopping', 'exited']
        assert.deepEqual(
          own.map(({ to }) => to),
          path,
        )
        assert.deepEqual(
          own.map(({ from }) => from),
          ['configured', ...path.slice(0, -1)],
        )
        assert.deepEqual(
          own.map(({ sequence }) => sequence),
          path.map((_, position) => position + 1),
        )
        assert.ok(own.every(({ at }) => at instanceof Date))
      }
    }))

  it('go on counting where an earlier supervisor has stopped', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('sleep 1000')
      await task.start()
      await bench.supervisor.close()
      const next = bench.another()
      const seen: TaskTransition[] = []
      next.transitions$.subscribe(transition => seen.push(transition))
      await next.openAll()
      await next.shutdown()
      assert.deepEqual(
        seen.filter(({ to }) => to !== 'running').map(({ to, sequence }) => [to, sequence]),
        [
          ['stopping', 3],
          ['exited', 4],
        ],
      )
    }))

  it('tell of a task that ended while nobody looked, once, when it is opened', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('exit 4')
      await task.start()
      const key = keyOf(task)
      await bench.supervisor.close()
      const watcher = bench.another()
      await watcher.openAll()
      const [result] = await lastValueFrom(
        watcher.results$.pipe(
          filter(({ task: { key: of } }) => of === key),
          take(1),
          toArray(),
        ),
      )
      assert.equal(result?.exitCode, 4)
      let count = 0
      watcher.results$.subscribe(() => count++)
      await watcher.openAll()
      await watcher.open(`holdfast:1:${key}:${bench.stateDir}`)
      assert.equal(count, 1)
    }))

  it('complete with close(), also for those who subscribe afterwards', () =>
    withWorkbench('basic', async bench => {
      const { results$, transitions$ } = bench.supervisor
      const ends = Promise.all([
        lastValueFrom(results$, { defaultValue: 'none' }),
        lastValueFrom(transitions$, { defaultValue: 'none' }),
      ])
      await bench.supervisor.close()
      assert.deepEqual(await ends, ['none', 'none'])
      assert.equal(await lastValueFrom(bench.supervisor.results$, { defaultValue: 'none' }), 'none')
    }))

  it('survive a subscriber that throws: wait() and the others are not touched', () =>
    withWorkbench('basic', async bench => {
      const thrown = new Promise<unknown>(resolve => {
        const others = process.listeners('uncaughtException')
        process.removeAllListeners('uncaughtException')
        process.once('uncaughtException', error => {
          for (const listener of others) process.on('uncaughtException', listener)
          resolve(error)
        })
      })
      bench.supervisor.results$.subscribe(() => {
        throw new Error('of the subscriber')
      })
      const result = firstValueFrom(bench.supervisor.results$)
      const task = bench.shell('exit 2')
      await task.start()
      assert.equal((await task.wait()).exitCode, 2)
      assert.equal((await result).exitCode, 2)
      assert.match(String(await thrown), /of the subscriber/)
    }))
})

describe('a supervisor', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  it('stops all its tasks in parallel, graceful then forced', () =>
    withWorkbench('basic', async bench => {
      const polite = Array.from({ length: 5 }, () =>
        bench.shell('trap "exit 8" TERM; echo ready; while :; do sleep 0.05; done'),
      )
      const deaf = Array.from({ length: 5 }, () =>
        bench.shell('trap "" TERM; echo ready; while :; do sleep 1; done'),
      )
      const ended = bench.shell('exit 0')
      const all = [...polite, ...deaf]
      await Promise.all([...all, ended].map(task => task.start()))
      await Promise.all(all.map(task => untilOutput(task, 'ready')))
      await ended.wait()
      const results = await bench.supervisor.shutdown({ graceMs: 5000 })
      assert.deepEqual(
        results.map(({ cause, exitCode }) => `${cause} ${exitCode}`).sort(),
        [...polite.map(() => 'shutdown 8'), ...deaf.map(() => 'forced null')].sort(),
      )
      // One grace for all of them, not one after the other.
      const times = results.map(({ exitedAt }) => exitedAt?.getTime() ?? 0)
      assert.ok(Math.max(...times) - Math.min(...times) < 5 * 5000)
      assert.deepEqual(await bench.supervisor.shutdown(), [])
    }))

  it('uses its own stop settings unless the call says otherwise', () =>
    withWorkbench('basic', async bench => {
      const supervisor = bench.another({ shutdown: { signal: 'SIGINT', graceMs: 10_000 } })
      const task = bench.commandOf(
        supervisor,
        '/bin/sh',
        '-c',
        'trap "exit 2" INT; echo ready; while :; do sleep 0.05; done',
      )
      await task.start()
      await untilOutput(task, 'ready')
      assert.equal((await task.shutdown()).exitCode, 2)
    }))

  it('lists its tasks by key until they are destroyed', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('exit 0')
      assert.equal(bench.supervisor.tasks.size, 0)
      await task.start()
      assert.equal(bench.supervisor.tasks.get(keyOf(task)), task)
      await task.wait()
      assert.equal(bench.supervisor.tasks.size, 1)
      await task.destroy()
      assert.equal(bench.supervisor.tasks.size, 0)
    }))

  it('starts nothing and opens nothing once closed, and says where the tasks are', () =>
    withWorkbench('basic', async bench => {
      const { supervisor } = bench
      const prepared = bench.shell('exit 0')
      const running = bench.shell('sleep 1000')
      await running.start()
      const waiting = refuses(running.wait(), { code: 'INVALID_STATE', hint: /openId/ })
      await supervisor.close()
      await supervisor.close()
      await waiting
      assert.throws(
        () => supervisor.executor(),
        (error: HoldfastError) => error.code === 'INVALID_STATE',
      )
      await refuses(prepared.start(), { code: 'INVALID_STATE' })
    }))

  it('refuses options it does not know or cannot honour', () => {
    const wrong: [SupervisorOptions, HoldfastError['code']][] = [
      [{ stateDir: '' }, 'INVALID_ARGUMENT'],
      [{ shutdown: { graceMs: -1 } }, 'INVALID_ARGUMENT'],
      [{ shutdown: { signal: 'SIGNOTHING' as NodeJS.Signals } }, 'INVALID_ARGUMENT'],
      [{ strikt: true } as SupervisorOptions, 'INVALID_ARGUMENT'],
      [{ orphans: 'maybe' as 'kill' }, 'INVALID_ARGUMENT'],
    ]
    for (const [options, code] of wrong) {
      assert.throws(
        () => new Supervisor(options),
        (error: HoldfastError) => error instanceof HoldfastError && error.code === code,
      )
    }
  })
})
