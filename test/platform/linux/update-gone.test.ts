import assert from 'node:assert/strict'
import { readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { refuses } from '../../support/refuses.ts'
import { requires } from '../../support/requires.ts'
import { startRecordOf } from '../../support/task-key.ts'
import { withWorkbench } from '../../support/workbench.ts'

describe('update() of a task whose cgroups somebody has removed', () => {
  before(function () {
    requires(this, 'linux', 'native', 'root', 'cgroup-v1')
  })

  it('says which is gone, writes nothing elsewhere, and the task goes on', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ memoryMB: 64 })
      await task.start()
      const memory = startRecordOf(task).cgroups.find(dir => dir.includes('/memory/')) ?? ''
      const above = dirname(memory)
      const limit = () => readFileSync(join(above, 'memory.limit_in_bytes'), 'utf8')
      const before = limit()
      for (const pid of readFileSync(join(memory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
        writeFileSync(join(above, 'cgroup.procs'), pid)
      rmdirSync(memory)
      const error = await refuses(task.update({ memoryMB: 32 }), { code: 'INVALID_STATE' })
      assert.ok(error.message.includes(memory), error.message)
      assert.equal(limit(), before)
      assert.equal(task.state, 'running')
      assert.equal((await task.forceStop()).cause, 'forced')
    }))
})
