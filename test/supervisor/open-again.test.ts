import { strict as assert } from 'node:assert'
import { filter, firstValueFrom } from 'rxjs'
import { TaskExecutor } from '../../src/task/task-executor.ts'
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

  it('makes no actor of a running task before somebody asks for it, and hears of its end all the same', () =>
    withWorkbench('basic', async bench => {
      const owner = bench.another()
      const onlooker = bench.another()
      const tasks = ['asked', 'not asked'].map(() => bench.commandOf(owner, 'sleep', '1000'))
      for (const task of tasks) await task.start()
      // All that it knows is stored then.
      await owner.close()
      await onlooker.openAll()
      const [asked, notAsked] = tasks.map(({ key }) => {
        const found = onlooker.tasks.get(key)
        assert.ok(found instanceof TaskExecutor)
        return found
      })
      assert.ok(asked !== undefined && notAsked !== undefined)
      assert.deepEqual(
        [asked, notAsked].map(({ held, state }) => [held.actor.isStored, state]),
        Array(2).fill([true, 'running']),
      )
      const end = asked.wait()
      assert.equal(asked.held.actor.isStored, false)
      const told = firstValueFrom(onlooker.results$.pipe(filter(({ task }) => task.key === notAsked.key)))
      assert.equal(notAsked.held.actor.isStored, true)
      const other = bench.another()
      await other.openAll()
      for (const task of other.tasks.values()) await task.forceStop()
      assert.equal((await end).cause, 'forced')
      assert.equal((await told).cause, 'forced')
      assert.equal(notAsked.state, 'exited')
    }))
})
