import { strict as assert } from 'node:assert'
import { type Executor, setCommand, Supervisor } from '../../src/index.ts'
import { startSignal, startUnder } from '../../src/task/start-signal.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('start({ signal })', function () {
  this.timeout(60_000)

  let stateDir: string
  let supervisor: Supervisor
  let task: Executor
  const reason = new Error('not needed any more')

  beforeEach(() => {
    stateDir = temporaryDirectory('start-signal')
    supervisor = new Supervisor({ stateDir })
    task = supervisor.executor('basic')
    setCommand(task, 'sleep', ['600'])
  })
  afterEach(async () => {
    await task.destroy()
    await supervisor.close()
    removeTemporary(stateDir)
  })

  it('aborted before: rejects with the reason, and there is no task', async () => {
    await assert.rejects(task.start({ signal: AbortSignal.abort(reason) }), reason)
    assert.equal(task.state, 'configured')
    assert.equal(supervisor.tasks.size, 0)
  })

  it('aborted while it starts: rejects with the reason, and nothing is left running', async () => {
    const controller = new AbortController()
    const starting = task.start({ signal: controller.signal })
    controller.abort(reason)
    await assert.rejects(starting, reason)
    assert.equal(task.state, 'exited')
    assert.equal((await task.wait()).exitCode, null)
  })

  it('aborted while it runs: it is shut down', async () => {
    const controller = new AbortController()
    await task.start({ signal: controller.signal })
    assert.equal(task.state, 'running')
    controller.abort(reason)
    const { cause, signal } = await task.wait()
    assert.deepEqual([cause, signal], ['shutdown', 'SIGTERM'])
  })

  it('aborted when it has ended: nothing happens', async () => {
    const controller = new AbortController()
    setCommand(task, 'true', [])
    await task.start({ signal: controller.signal })
    await task.wait()
    controller.abort(reason)
    assert.equal((await task.wait()).cause, 'exited')
  })

  it('a start that fails by itself rejects with its own error', async () => {
    setCommand(task, '/no/such/program', [])
    await assert.rejects(task.start({ signal: new AbortController().signal }), { stage: 'exec' })
  })

  it('refuses what is no signal', async () => {
    for (const options of [{ signal: {} }, { signals: null }, 5])
      await assert.rejects(task.start(options as never), {
        code: 'INVALID_ARGUMENT',
        message: /^start: options/,
      })
  })

  it('await using destroys it', async () => {
    await task.start()
    await task[Symbol.asyncDispose]()
    assert.equal(supervisor.tasks.size, 0)
    assert.equal(task.state, 'exited')
  })
})

describe('a start under a signal, without a task', () => {
  const reason = new Error('not needed any more')

  /** `launched`: how the launch goes on once it is aborted. */
  async function started(launched: (controller: AbortController) => Promise<void>) {
    const controller = new AbortController()
    const ends: (() => void)[] = []
    let stops = 0
    const stop = async (): Promise<void> => {
      stops++
    }
    const start = startUnder(controller.signal, launched(controller), stop, end => void ends.push(end))
    const failure = await start.then(
      () => null,
      (error: unknown) => error,
    )
    return { controller, failure, ends, stops: () => stops }
  }

  it('stops a task that was exec’ed after the abort, and rejects with the reason', async () => {
    const { failure, ends, stops } = await started(async controller => {
      await Promise.resolve()
      controller.abort(reason)
    })
    assert.deepEqual([failure, ends, stops()], [reason, [], 1])
  })

  it('rejects with the reason where the launch failed after the abort, and else with its own error', async () => {
    const own = new Error('no such program')
    const aborted = await started(async controller => {
      await Promise.resolve()
      controller.abort(reason)
      throw own
    })
    assert.equal(aborted.failure, reason)
    const failed = await started(() => Promise.reject(own))
    assert.equal(failed.failure, own)
    failed.controller.abort(reason)
    assert.equal(failed.stops(), 0)
  })

  it('stops a task that runs once, and one that has ended not at all', async () => {
    const runs = await started(async () => {})
    runs.controller.abort(reason)
    runs.controller.abort(reason)
    assert.deepEqual([runs.failure, runs.stops()], [null, 1])
    const ended = await started(async () => {})
    for (const end of ended.ends) end()
    ended.controller.abort(reason)
    assert.deepEqual([ended.ends.length, ended.stops()], [1, 0])
  })

  it('has none unless one is given, and does not begin under one that is aborted', () => {
    const { signal } = new AbortController()
    assert.deepEqual([startSignal(), startSignal({}), startSignal({ signal })], [null, null, signal])
    assert.throws(() => startSignal({ signal: AbortSignal.abort(reason) }), reason)
    assert.throws(() => startSignal({ signal: {} as AbortSignal }), { code: 'INVALID_ARGUMENT' })
  })
})
