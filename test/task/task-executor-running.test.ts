import { strict as assert } from 'node:assert'
import type { HoldfastError } from '../../src/index.ts'
import { FakeRuntime } from '../support/fake-runtime.ts'
import { refuses } from '../support/refuses.ts'

/** What is thrown at once is refused as well. */
const refused = (code: HoldfastError['code'], work: () => Promise<unknown>): Promise<HoldfastError> =>
  refuses((async () => work())(), { code })

describe('an executor of a running task, without a process', () => {
  let bench: FakeRuntime
  beforeEach(() => (bench = new FakeRuntime()))
  afterEach(() => bench.dispose())

  const told = () => bench.spawner.shim.told()

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
})
