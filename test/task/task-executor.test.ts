import { firstValueFrom } from 'rxjs'
import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type HoldfastError } from '../../src/index.ts'
import type { TaskExecutor } from '../../src/task/task-executor.ts'
import { FakeRuntime, refusesExec } from '../support/fake-runtime.ts'
import { settle } from '../support/fake-clock.ts'
import { refuses } from '../support/refuses.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** What is thrown at once is refused as well. */
const refused = (code: HoldfastError['code'], work: () => Promise<unknown>): Promise<HoldfastError> =>
  refuses((async () => work())(), { code })

describe('an executor, without a process', () => {
  let bench: FakeRuntime
  beforeEach(() => (bench = new FakeRuntime()))
  afterEach(() => bench.dispose())

  const dirOf = (task: TaskExecutor) => bench.runtime.state.taskDirectory(task.key)
  const told = () => bench.spawner.shim.told()

  describe('before its start', () => {
    it('is on disk nowhere, and nobody has heard of it', () => {
      const task = bench.executor()
      assert.equal(task.state, 'configured')
      assert.equal(existsSync(dirOf(task)), false)
      assert.deepEqual(bench.heard, [])
      assert.deepEqual(
        [task.outcome, task.held.owner, task.held.takenOver, task.enforcement],
        [null, null, false, []],
      )
    })

    for (const [call, work] of [
      ['wait', (task: TaskExecutor) => task.wait()],
      ['signal', (task: TaskExecutor) => task.signal('SIGHUP')],
      ['usage', (task: TaskExecutor) => task.usage()],
      ['update', (task: TaskExecutor) => task.update({ pids: 1 })],
      ['id', async (task: TaskExecutor) => task.id()],
      ['exec', async (task: TaskExecutor) => task.exec('true')],
      ['logs$', async (task: TaskExecutor) => task.logs$('stdout')],
      ['output$', async (task: TaskExecutor) => task.output$()],
      ['resize', (task: TaskExecutor) => task.resize({ rows: 1, columns: 1 })],
      ['openInput', async (task: TaskExecutor) => task.openInput()],
      ['endInput', (task: TaskExecutor) => task.endInput()],
      ['egress$', (task: TaskExecutor) => firstValueFrom(task.egress$)],
    ] as const)
      it(`refuses ${call}(), by its own name`, async () => {
        const { message } = await refused('INVALID_STATE', () => work(bench.executor()))
        assert.ok(message.startsWith(`${call}() is refused: `), message)
      })

    it('is limited by the last limit() alone, and a bad one changes nothing', async () => {
      const task = bench.executor()
      await task.limit({ pids: 5 })
      await refused('INVALID_ARGUMENT', () => task.limit({ pids: -1 }))
      assert.equal(task.state, 'limited')
      await task.start()
      const stored = JSON.parse(readFileSync(join(dirOf(task), 'task.json'), 'utf8')) as {
        spec: { request: { resources: unknown } }
      }
      assert.deepEqual(stored.spec.request.resources, { pids: 5 })
    })

    it('goes into a directory that it is given, under the name it has there', async () => {
      const alloc = new AllocDir(join(temporaryDirectory('given'), 'alloc'))
      await alloc.build(['web'])
      const task = bench.executor()
      await task.configureTaskDir('web', alloc)
      assert.deepEqual([task.name, task.state], ['web', 'configured'])
      await task.start()
      bench.spawner.end()
      await task.destroy()
      assert.ok(existsSync(alloc.taskPaths('web').local), 'it is not the task’s to remove')
    })

    it('needs a command', async () => {
      const task = bench.executor()
      task.command.path = ''
      await refused('INVALID_STATE', () => task.start())
      assert.deepEqual([task.state, bench.heard], ['configured', []])
    })

    it('is not started by a supervisor that is closed, nor once it has been destroyed', async () => {
      bench.isOpen = false
      await refused('INVALID_STATE', () => bench.executor().start())
      bench.isOpen = true
      const task = bench.executor()
      await task.destroy()
      await refused('INVALID_STATE', () => task.start())
      assert.deepEqual(bench.spawner.launched, [])
    })
  })

  describe('that is started', () => {
    it('runs, and every step of it has been published once, in order', async () => {
      const task = await bench.started()
      assert.equal(task.state, 'running')
      assert.deepEqual(
        bench.heard.filter(line => line.includes('->')),
        bench.heard.filter(line => /^\d+: /.test(line)),
      )
      const numbers = bench.heard.filter(line => line.includes('->')).map(line => Number(line.split(':')[0]))
      assert.deepEqual(
        numbers,
        [...numbers].sort((one, two) => one - two),
      )
      assert.equal(new Set(numbers).size, numbers.length)
      assert.match(bench.heard.at(-1) ?? '', / -> running$/)
      assert.ok(bench.heard.includes('started'))
    })

    it('freezes its command, is known by its id, and cannot be started twice', async () => {
      const task = await bench.started()
      assert.ok(Object.isFrozen(task.command))
      assert.match(task.id(), new RegExp(task.key))
      await refused('INVALID_STATE', () => task.start())
      await refused('INVALID_STATE', () => task.limit({ pids: 1 }))
      assert.equal(bench.spawner.launched.length, 1)
    })

    it('ends with what its record says, for all who wait', async () => {
      const task = await bench.started()
      const waiting = [task.wait(), task.wait()]
      bench.spawner.end({ exitCode: 7 })
      for (const { exitCode, evidence, cause } of await Promise.all(waiting))
        assert.deepEqual({ exitCode, evidence, cause }, { exitCode: 7, evidence: 'record', cause: 'exited' })
      assert.equal((await task.wait()).exitCode, 7)
      assert.equal(task.state, 'exited')
      assert.equal(bench.outcomes.length, 1)
    })

    it('is lost when its shim goes without a word', async () => {
      const task = await bench.started()
      bench.spawner.vanish()
      const { evidence, exitCode, successful } = await task.wait()
      assert.deepEqual(
        { evidence, exitCode, successful },
        { evidence: 'inferred', exitCode: null, successful: false },
      )
    })

    it('gives everybody a result of their own', async () => {
      const task = await bench.started()
      bench.spawner.end()
      const [one, two] = [await task.wait(), await task.wait()]
      assert.deepEqual(one, two)
      assert.notEqual(one, two)
      assert.notEqual(one.limitsHit, two.limitsHit)
    })

    it('that is refused by the shim has failed to start, and says at which step', async () => {
      bench.spawner.answers.push(refusesExec)
      const task = bench.executor()
      const error = await refused('START_FAILED', () => task.start())
      assert.deepEqual([error.stage, error.errno], ['exec', 'ENOENT'])
      const { cause, error: failure } = await task.wait()
      assert.deepEqual([cause, (failure as HoldfastError).stage], ['startFailed', 'exec'])
    })

    it('under a signal that is aborted already starts nothing', async () => {
      await assert.rejects(bench.executor().start({ signal: AbortSignal.abort(new Error('no')) }), /no/)
      assert.deepEqual(bench.spawner.launched, [])
    })

    it('and its states are a stream that ends with it', async () => {
      const task = bench.executor()
      const states: string[] = []
      const ended = new Promise<void>(resolve =>
        task.state$.subscribe({ next: state => void states.push(state), complete: resolve }),
      )
      await task.start()
      bench.spawner.end()
      await ended
      assert.deepEqual([states[0], states.at(-2), states.at(-1)], ['configured', 'running', 'exited'])
      const late: string[] = []
      task.state$.subscribe(state => void late.push(state))
      assert.deepEqual(late, ['exited'])
    })
  })

  describe('that runs', () => {
    it('passes a signal on, and notes it', async () => {
      const task = await bench.started()
      await task.signal('SIGHUP')
      assert.deepEqual(told(), ['signal 1'])
      assert.deepEqual(
        bench.entries.filter(({ event }) => event === 'SIGNAL').map(({ signal }) => signal),
        ['SIGHUP'],
      )
      await refused('INVALID_ARGUMENT', () => task.signal('SIGNOPE' as NodeJS.Signals))
      assert.deepEqual(told(), [])
    })

    it('is told its size', async () => {
      const task = await bench.started()
      await task.resize({ rows: 24, columns: 80 })
      assert.deepEqual(told(), ['size 24 80'])
      await refused('INVALID_ARGUMENT', () => task.resize({ rows: 0, columns: 80 }))
    })

    it('has no standard input to write to unless it was started so', async () => {
      const task = await bench.started()
      await refused('UNSUPPORTED', () => task.endInput())
      assert.throws(() => task.openInput(), { code: 'UNSUPPORTED' })
    })

    it('is asked to end with what it is asked with, and the grace that is left', async () => {
      const task = await bench.started()
      const stopped = task.shutdown({ signal: 'SIGINT', graceMs: 60_000 })
      assert.equal(task.state, 'stopping')
      const [order = ''] = told()
      assert.match(order, /^stop 2 (59\d{3}|600\d\d)$/)
      bench.spawner.end({ exitCode: 0, stop: { reason: 'shutdown', signal: 2, at: 3, forcedAt: null } })
      assert.equal((await stopped).cause, 'shutdown')
    })

    it('is killed at once by forceStop(), also while it is asked to end', async () => {
      const task = await bench.started()
      const [one, two] = [task.shutdown({ graceMs: 60_000 }), task.forceStop()]
      assert.ok(told().includes('kill'))
      bench.spawner.end({
        exitCode: null,
        signal: 9,
        stop: { reason: 'force', signal: 9, at: 3, forcedAt: 3 },
      })
      assert.deepEqual(await one, await two)
    })

    it('is asked once when several ask, and the second is in the journal', async () => {
      const task = await bench.started()
      const stops = [task.shutdown({ graceMs: 60_000 }), task.shutdown({ graceMs: 60_000 })]
      assert.equal(told().filter(order => order.startsWith('stop')).length, 1)
      assert.equal(bench.entries.filter(({ event }) => event === 'STOP').length, 2)
      bench.spawner.end()
      await Promise.all(stops)
    })

    it('refuses a grace that is none, and goes on', async () => {
      const task = await bench.started()
      await refused('INVALID_ARGUMENT', () => task.shutdown({ graceMs: -1 }))
      assert.equal(task.state, 'running')
    })

    it('takes an end that has come already for a stop', async () => {
      const task = await bench.started()
      bench.spawner.end({ exitCode: 3 })
      await task.wait()
      assert.equal((await task.shutdown()).exitCode, 3)
      assert.equal((await task.forceStop()).exitCode, 3)
    })

    it('names what survived a kill', async () => {
      const task = await bench.started()
      const stopped = task.forceStop()
      bench.spawner.end({ signal: 9, exitCode: null, survivors: [77] })
      const error = await refused('LOST', () => stopped)
      assert.match(error.message, /still alive: 77/)
    })

    it('has commands exec’ed into it, with its environment and its isolation', async () => {
      const task = bench.executor()
      task.command.env = { A: '1' }
      await task.start()
      const session = task.exec('/bin/cat', 'x')
      assert.deepEqual(
        [session.command.path, session.command.args, session.command.env],
        ['/bin/cat', ['x'], { A: '1' }],
      )
      session.command.hostname = 'other'
      await refused('INVALID_ARGUMENT', () => session.start())
    })

    it('ends all who wait when its supervisor lets go, and the task is not touched', async () => {
      const task = await bench.started()
      const waiting = task.wait()
      task.held.detach()
      const error = await refused('INVALID_STATE', () => waiting)
      assert.match(error.message, /the task goes on without it/)
      assert.deepEqual(told(), [])
      assert.ok(task.id())
      await refused('INVALID_STATE', () => task.signal('SIGHUP'))
    })
  })

  describe('that is destroyed', () => {
    it('is killed first, and leaves nothing; all who ask wait for the same', async () => {
      const task = await bench.started()
      const dir = dirOf(task)
      const gone = [task.destroy(), task.destroy()]
      await settle()
      assert.ok(told().includes('kill'))
      bench.spawner.end({ signal: 9, exitCode: null })
      await Promise.all(gone)
      assert.equal(existsSync(dir), false)
      assert.equal(existsSync(bench.runtime.state.allocDirectory(task.key)), false)
      assert.equal(bench.heard.at(-1), 'destroyed')
      assert.equal(bench.heard.filter(line => line === 'destroyed').length, 1)
    })

    it('says so to those who call it afterwards, and takes a second destroy()', async () => {
      const task = await bench.started()
      bench.spawner.end()
      await task.wait()
      await task.destroy()
      await task.destroy()
      await refused('INVALID_STATE', () => task.signal('SIGHUP'))
    })

    it('can be tried again where the first try failed', async () => {
      const task = await bench.started()
      bench.spawner.end()
      await task.wait()
      const remove = bench.runtime.state.remove.bind(bench.runtime.state)
      bench.runtime.state.remove = () => {
        throw new Error('busy')
      }
      await assert.rejects(task.destroy(), /busy/)
      bench.runtime.state.remove = remove
      await task.destroy()
      assert.equal(existsSync(dirOf(task)), false)
    })
  })

  describe('that another supervisor has started', () => {
    it('is taken over by its id, where it is, and ends for both', async () => {
      const task = await bench.started()
      task.held.detach()
      const other = bench.another()
      const taken = other.executor()
      await taken.open(task.id())
      assert.deepEqual([taken.state, taken.key, taken.held.takenOver], ['running', task.key, true])
      bench.spawner.end({ exitCode: 4 })
      assert.equal((await taken.wait()).exitCode, 4)
    })

    it('that has ended meanwhile is read, and no actor is needed for it', async () => {
      const task = await bench.started()
      bench.spawner.end({ exitCode: 4 })
      await task.wait()
      task.held.flush()
      task.held.detach()
      const other = bench.another()
      const taken = other.executor()
      await taken.open(task.id())
      assert.deepEqual([taken.state, taken.outcome?.exitCode], ['exited', 4])
      assert.equal(other.heard.filter(line => line === 'exited').length, 1)
    })

    it('is one task with two faces where the supervisor holds it already', async () => {
      const task = await bench.started()
      const second = bench.executor()
      await second.open(task.id())
      assert.equal(second.key, task.key)
      bench.spawner.end({ exitCode: 2 })
      assert.deepEqual(await second.wait(), await task.wait())
      assert.equal(bench.outcomes.length, 1)
    })

    it('is refused by an id of another state directory, of no task, or that is none', async () => {
      const task = await bench.started()
      const elsewhere = new FakeRuntime()
      await refused('INVALID_ARGUMENT', () => elsewhere.executor().open(task.id()))
      const key = task.key
      bench.spawner.end()
      await task.destroy()
      await refused('NOT_FOUND', () => bench.executor().reopen(key))
      await refused('INVALID_ARGUMENT', () => bench.executor().open('nonsense'))
      await elsewhere.dispose()
    })

    it('is refused where its record is no record, and stays as it is', async () => {
      const task = await bench.started()
      task.held.detach()
      writeFileSync(join(dirOf(task), 'task.json'), '{')
      await refused('STATE_CORRUPT', () => bench.another().executor().reopen(task.key))
      assert.equal(readFileSync(join(dirOf(task), 'task.json'), 'utf8'), '{')
    })
  })
})
