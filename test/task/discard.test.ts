import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { shimAlive } from '../../src/spawn/alive.ts'
import { adapters, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { assertNothingLeft, processesOf, untilNoneLeft } from '../support/leftovers.ts'
import { untilOutput } from '../support/output.ts'
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
