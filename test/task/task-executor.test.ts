import { firstValueFrom } from 'rxjs'
import { strict as assert } from 'node:assert'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type HoldfastError } from '../../src/index.ts'
import type { TaskExecutor } from '../../src/task/task-executor.ts'
import { FakeRuntime, refusesExec } from '../support/fake-runtime.ts'
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
})
