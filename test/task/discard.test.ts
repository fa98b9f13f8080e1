import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { shimAlive } from '../../src/spawn/alive.ts'
import { discardTask, startOf } from '../../src/task/discard.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { adapters, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { fakeTask, recorded } from '../support/fake-task.ts'
import { assertNothingLeft, processesOf, untilNoneLeft } from '../support/leftovers.ts'
import { untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'

const discarding: Section = (check, { native }) => {
  check('kills and removes one that runs and whose task.json is damaged', async bench => {
    const task = bench.shell('trap "" TERM; sleep 1000 & echo ready; while :; do sleep 0.1; done')
    await task.start()
    await untilOutput(task, 'ready')
    const [key, dir] = [keyOf(task), directoryOf(task)]
    await bench.supervisor.close()
    writeFileSync(join(dir, 'task.json'), 'damaged')
    const supervisor = bench.another()
    assert.deepEqual(
      (await supervisor.openAll()).quarantined.map(({ key: quarantined }) => quarantined),
      [key],
    )
    await supervisor.discard(key)
    await untilNoneLeft([key])
    assertNothingLeft(key, bench.stateDir)
    await supervisor.discard(key)
  })

  if (native)
    check('kills what is left of one whose shim is gone', async bench => {
      const task = bench.shell('sleep 1000 & echo ready; sleep 1000')
      await task.start()
      await untilOutput(task, 'ready')
      const [key, dir] = [keyOf(task), directoryOf(task)]
      await bench.supervisor.close()
      writeFileSync(join(dir, 'task.json'), '')
      process.kill(startRecordOf(task).shim.pid, 'SIGKILL')
      while (shimAlive(dir)) await setImmediate()
      await bench.another().discard(key)
      await untilNoneLeft([key])
      assertNothingLeft(key, bench.stateDir)
    })

  check('destroys one that the supervisor holds', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    const key = keyOf(task)
    await bench.supervisor.discard(key)
    assert.equal(bench.supervisor.tasks.size, 0)
    assertNothingLeft(key, bench.stateDir)
  })

  check('does nothing for what is not there, or is no key', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    const victim = bench.directory('victim')
    const supervisor = bench.another()
    for (const key of ['', '.', '..', '../allocs', '0123456789abcd', `../../../${victim}`, 'KEY'])
      await supervisor.discard(key)
    assert.ok(existsSync(victim))
    assert.deepEqual(readdirSync(join(bench.stateDir, 'tasks')), [keyOf(task)])
    assert.ok(processesOf(keyOf(task)).length > 0)
  })
}

for (const adapter of adapters) declare(`discard() of a ${adapter.title} task`, adapter, { discarding })

describe('discard() without a process', () => {
  const discarded = ({ services, file }: ReturnType<typeof fakeTask>) =>
    discardTask(services, file.spec.request.key)

  it('removes what has neither a shim nor a record that can be read', async () => {
    const task = recorded(fakeTask())
    writeFileSync(join(task.dir, 'start.json'), '{')
    await discarded(task)
    assert.equal(existsSync(task.dir), false)
  })

  it('removes one whose processes are all gone', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    shim.started()
    shim.gone()
    await discarded(task)
    assert.equal(existsSync(task.dir), false)
  })

  it('leaves one whose shim lives and is known to nobody, and says who sees it', async () => {
    const task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    const clock = new FakeClock()
    const refused = refuses(discarded(task), { code: 'LOST', stage: 'stop', hint: /^Root sees/ })
    clock.pass(3001)
    await refused.finally(() => clock.restore())
    assert.equal(existsSync(task.dir), true)
    shim.gone()
  })

  it('does nothing for what is no key, and for a task that is not there', async () => {
    const { services, state } = recorded(fakeTask())
    const before = readdirSync(join(state.path, 'tasks'))
    await discardTask(services, '..')
    await discardTask(services, newTaskKey())
    assert.deepEqual(readdirSync(join(state.path, 'tasks')), before)
  })

  it('finds a task by its shim alone: all that descends from it', () => {
    const shim = { pid: 7, startTime: 9 }
    const { task, init, cgroups } = startOf(shim, ['/c'])
    assert.deepEqual([task, init, cgroups], [shim, null, ['/c']])
  })
})
