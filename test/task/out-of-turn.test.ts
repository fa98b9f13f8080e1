import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, setCommand, Supervisor } from '../../src/index.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const invalidState = { name: 'HoldfastError', code: 'INVALID_STATE' }
const invalidArgument = { name: 'HoldfastError', code: 'INVALID_ARGUMENT' }

describe('calls in an unlikely order', () => {
  let stateDir: string
  let supervisor: Supervisor

  beforeEach(() => {
    stateDir = temporaryDirectory('turns')
    supervisor = new Supervisor({ stateDir })
  })

  afterEach(async () => {
    await supervisor.shutdown({ graceMs: 0 }).catch(() => {})
    await supervisor.close()
  })

  const sleeper = () => {
    const task = supervisor.executor('basic')
    setCommand(task, 'sleep', ['60'])
    return task
  }
  const entries = (name: string) =>
    existsSync(join(stateDir, name)) ? readdirSync(join(stateDir, name)) : []

  it('destroys a task whose start has not got anywhere yet: nothing runs, nothing is left', async () => {
    const task = sleeper()
    const starting = task.start().catch(() => {})
    await task.destroy()
    await starting
    assert.deepEqual([...entries('tasks'), ...entries('allocs')], [])
  })

  it('destroys a task that is being launched', async () => {
    const task = sleeper()
    const starting = task.start().catch(() => {})
    await new Promise(resolve => setImmediate(resolve))
    await task.destroy()
    await starting
    assert.deepEqual([...entries('tasks'), ...entries('allocs')], [])
  })

  it('starts no task that has been destroyed', async () => {
    const task = sleeper()
    await task.destroy()
    await assert.rejects(task.start(), invalidState)
  })

  it('answers wait() after close(), which let go of the task', async () => {
    const task = sleeper()
    await task.start()
    const id = task.id()
    await supervisor.close()
    await assert.rejects(task.wait(), invalidState)
    await assert.rejects(task.shutdown(), invalidState)
    supervisor = new Supervisor({ stateDir })
    assert.equal((await (await supervisor.open(id)).forceStop()).cause, 'forced')
  })

  it('stops a task whose start has only just been asked for', async () => {
    const task = sleeper()
    const starting = task.start()
    assert.deepEqual(
      (await supervisor.shutdown({ graceMs: 0 })).map(({ cause }) => cause),
      ['forced'],
    )
    await starting
  })

  it('leaves nothing unusable when it is closed in the middle of a start', async () => {
    const task = sleeper()
    const starting = task.start().catch(() => {})
    await supervisor.close()
    await starting
    supervisor = new Supervisor({ stateDir })
    assert.deepEqual((await supervisor.openAll()).quarantined, [])
  })

  it('starts nothing once the supervisor is closed', async () => {
    const task = sleeper()
    await supervisor.close()
    await assert.rejects(task.start(), invalidState)
    assert.equal(supervisor.tasks.size, 0)
  })

  it('has one start of two at once', async () => {
    const task = sleeper()
    const [first, second] = await Promise.allSettled([task.start(), task.start()])
    assert.deepEqual([first?.status, second?.status].sort(), ['fulfilled', 'rejected'])
    assert.equal(entries('tasks').length, 1)
  })

  it('refuses what is no executor, no allocation, no entries', async () => {
    assert.throws(() => setCommand(null as never, 'true'), invalidArgument)
    assert.throws(() => setCommand(sleeper(), 'a\0b'), invalidArgument)
    for (const alloc of [null, {}, '/tmp'])
      await assert.rejects(sleeper().configureTaskDir('a', alloc as never), invalidArgument)
    const alloc = new AllocDir(join(stateDir, 'alloc'))
    await alloc.build(['a'])
    await assert.rejects(alloc.embed('a', null as never), invalidArgument)
  })
})
