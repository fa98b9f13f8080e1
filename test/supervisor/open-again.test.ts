import { strict as assert } from 'node:assert'
import { withWorkbench } from '../support/workbench.ts'

describe('openAll() called again', () => {
  it('finds what others have started since, and lets go of what others have removed', () =>
    withWorkbench('basic', async bench => {
      const onlooker = bench.another()
      const owner = bench.another()
      const ended = bench.commandOf(owner, '/bin/sh', '-c', 'exit 0')
      const failed = bench.commandOf(onlooker, '/nonexistent/program')
      await ended.start()
      await ended.wait()
      await assert.rejects(failed.start())
      assert.deepEqual((await onlooker.openAll()).exited.includes(ended.key), true)

      const later = bench.commandOf(owner, 'sleep', '1000')
      await later.start()
      await ended.destroy()
      assert.deepEqual((await onlooker.openAll()).resumed, [later.key])
      assert.equal(onlooker.tasks.has(ended.key), false)
      assert.equal(onlooker.tasks.get(later.key)?.state, 'running')
      assert.ok(onlooker.tasks.has(failed.key), 'its own stays')
    }))
})
