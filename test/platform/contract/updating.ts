import { strict as assert } from 'node:assert'
import { outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import type { Section } from './adapter.ts'

const waiting = 'echo ready; while :; do sleep 0.05; done'

/** Other limits for a task that runs, as far as every adapter has them. */
export const updating: Section = (check, { platform }) => {
  check('refuses other limits before the start and after the end, and what is no limit', async bench => {
    const task = bench.shell(waiting)
    await refuses(task.update({ pids: 5 }), { code: 'INVALID_STATE' })
    await task.start()
    await refuses(task.update({ pids: -5 }), { code: 'INVALID_ARGUMENT', message: /pids.*-5/ })
    await refuses(task.update(undefined as never), { code: 'INVALID_ARGUMENT' })
    await task.forceStop()
    await refuses(task.update({ pids: 5 }), { code: 'INVALID_STATE' })
  })

  check('refuses limits that contradict those it has, naming the field', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64 })
    await task.start()
    await refuses(task.update({ memoryReserveBytes: 65 * 1024 * 1024 }), {
      code: 'INVALID_ARGUMENT',
      message: /memoryReserveBytes/,
    })
  })

  check('reports what became of each, to whoever looks, and keeps the other rows', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64, cpu: 200 })
    await task.start()
    await untilOutput(task, 'ready')
    const before = task.enforcement
    await task.update({ memoryBytes: 48 * 1024 * 1024 })
    const expected = platform === 'linux' ? 'enforced' : 'skipped'
    const rows = new Map(task.enforcement.map(row => [row.name, row]))
    assert.equal(rows.has('memoryMB'), false)
    assert.equal(rows.get('memoryBytes')?.status, expected)
    assert.equal(rows.get('memoryBytes')?.requested, String(48 * 1024 * 1024))
    assert.deepEqual(
      task.enforcement.filter(({ name }) => !name.startsWith('memory')),
      before.filter(({ name }) => !name.startsWith('memory')),
    )
    const taken = await bench.another().open(task.id())
    assert.deepEqual(taken.enforcement, task.enforcement)
    await taken.update({ cpu: 300 })
    assert.equal(task.enforcement.find(({ name }) => name === 'cpu')?.requested, '300')
    assert.equal(task.enforcement.find(({ name }) => name === 'memoryBytes')?.status, expected)
  })

  check('loses no change of several supervisors at the same time, whatever else they write', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64, cpu: 200 })
    await task.start()
    const [one, two] = await Promise.all([bench.another().open(task.id()), bench.another().open(task.id())])
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        one.update({ cpu: 300 + round }),
        two.update({ memoryMB: 40 + round }),
        task.update({ wallTimeMs: 3_600_000 + round }),
      ])
      const rows = new Map(task.enforcement.map(({ name, requested }) => [name, requested]))
      assert.deepEqual(
        [rows.get('cpu'), rows.get('memoryMB'), rows.get('wallTimeMs')],
        [`${300 + round}`, `${40 + round}`, `${3_600_000 + round}`],
      )
    }
    // Everybody writes task.json once more now.
    await two.shutdown({ graceMs: 0 })
    await Promise.all([one.wait(), task.wait()])
    const rows = new Map(
      (await bench.another().open(task.id())).enforcement.map(row => [row.name, row.requested]),
    )
    assert.deepEqual([rows.get('cpu'), rows.get('memoryMB')], ['309', '49'])
  })

  check('takes a time limit, counted from the start', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    await task.update({ wallTimeMs: 3_600_000 })
    assert.equal(task.state, 'running')
    await task.update({ wallTimeMs: 1 })
    const { cause, signal } = await task.wait()
    assert.deepEqual({ cause, signal }, { cause: 'timeout', signal: 'SIGTERM' })
    assert.equal(task.enforcement.find(({ name }) => name === 'wallTimeMs')?.status, 'enforced')
  })

  check('gives a task more time than it had', async bench => {
    const task = bench.shell('echo ready; until [ -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done; exit 5')
    await task.limit({ wallTimeMs: 20_000 })
    await task.start()
    await untilOutput(task, 'ready')
    await task.update({ wallTimeMs: 3_600_000 })
    await outputOf(task.exec('/bin/sh', '-c', 'echo > $HOLDFAST_TASK_DIR/go'))
    const { exitCode, cause } = await task.wait()
    assert.deepEqual({ exitCode, cause }, { exitCode: 5, cause: 'exited' })
  })
}
