import { strict as assert } from 'node:assert'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type HoldfastError, type Resources, setCommand } from '../../../src/index.ts'
import { assertNothingLeft } from '../../support/leftovers.ts'
import { refuses } from '../../support/refuses.ts'
import { directoryOf, keyOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

const outOfTurn = { code: 'INVALID_STATE' } as const

export const interfaces: Section = (check, { platform }) => {
  check('refuses, before the start, whatever needs a task', async bench => {
    const task = bench.shell('exit 0')
    assert.throws(
      () => task.id(),
      (error: HoldfastError) => error.code === 'INVALID_STATE',
    )
    await refuses(task.wait(), outOfTurn)
    await refuses(task.shutdown(), outOfTurn)
    await refuses(task.forceStop(), outOfTurn)
    await refuses(task.signal('SIGTERM'), outOfTurn)
    await refuses(task.usage(), outOfTurn)
    assert.equal(task.state, 'configured')
  })

  check('refuses a start without a command', async bench => {
    await refuses(bench.supervisor.executor(platform).start(), { ...outOfTurn, hint: /setCommand/ })
  })

  check('refuses, once started, whatever belongs before', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    await refuses(task.start(), outOfTurn)
    await refuses(task.limit({ pids: 5 }), outOfTurn)
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['sleep'])
    await refuses(task.configureTaskDir('sleep', alloc), outOfTurn)
    await refuses(task.open(task.id()), outOfTurn)
    assert.throws(
      () => setCommand(task, '/bin/true'),
      (error: HoldfastError) => error.code === 'INVALID_STATE',
    )
    assert.equal(task.state, 'running')
  })

  check('refuses, after the end, whatever needs a running task', async bench => {
    const task = bench.shell('exit 0')
    await task.start()
    await task.wait()
    for (const call of [task.start(), task.limit({}), task.signal('SIGTERM'), task.open(task.id())]) {
      await refuses(call, outOfTurn)
    }
  })

  check('starts once, also when start() is called twice at the same time', async bench => {
    const task = bench.shell('echo once')
    const calls = await Promise.allSettled([task.start(), task.start()])
    assert.deepEqual(calls.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    assert.equal((await task.wait()).exitCode, 0)
    assert.equal(bench.keys().length, 1)
  })

  check('refuses limits that are missing or wrong, naming the field', async bench => {
    const task = bench.shell('exit 0')
    await refuses(task.limit(undefined as unknown as Resources), { code: 'INVALID_ARGUMENT' })
    await refuses(task.limit({ memoryMB: -1 }), { code: 'INVALID_ARGUMENT', message: /memoryMB.*-1/ })
    await refuses(task.limit({ iops: 9 }), { code: 'INVALID_ARGUMENT', message: /iops.*9/ })
    await refuses(task.limit({ mems: 5 } as Resources), { code: 'INVALID_ARGUMENT', message: /mems/ })
    assert.equal(task.state, 'configured')
    await task.limit({})
    assert.equal(task.state, 'limited')
  })

  check('refuses a task the allocation does not have', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['known'])
    await refuses(bench.shell('exit 0').configureTaskDir('unknown', alloc), {
      code: 'NOT_FOUND',
      message: /unknown/,
    })
  })

  check('leaves nothing after destroy(), which may be called again and again', async bench => {
    const task = bench.shell('exit 3')
    await task.start()
    await task.wait()
    const key = keyOf(task)
    const directory = directoryOf(task)
    await Promise.all([task.destroy(), task.destroy()])
    await task.destroy()
    assertNothingLeft(key, bench.stateDir)
    assert.equal(existsSync(directory), false)
    assert.equal(bench.supervisor.tasks.size, 0)
  })

  check(
    'kills and removes a running task on destroy(), and keeps an allocation that was lent to it',
    async bench => {
      const alloc = new AllocDir(bench.directory('alloc'))
      await alloc.build(['lent'])
      const task = bench.shell('sleep 1000 & sleep 1000')
      await task.configureTaskDir('lent', alloc)
      await task.start()
      const key = keyOf(task)
      await task.destroy()
      assertNothingLeft(key, bench.stateDir)
      assert.ok(existsSync(join(alloc.path, 'lent/local')))
    },
  )

  check('destroys a task that was never started', async bench => {
    await bench.shell('exit 0').destroy()
    assert.deepEqual(bench.keys(), [])
  })
}
