import { strict as assert } from 'node:assert'
import { type Executor, setCommand, Supervisor } from '../../src/index.ts'
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
