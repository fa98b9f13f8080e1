import { strict as assert } from 'node:assert'
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs'
import type { Executor } from '../../src/index.ts'
import { untilOutput } from '../support/output.ts'
import { withWorkbench } from '../support/workbench.ts'

/** A task whose samples are counted, or fail. */
function sampled(task: Executor, answer: () => Promise<unknown>): { count: number } {
  const seen = { count: 0 }
  const usage = task.usage.bind(task)
  task.usage = async () => {
    seen.count++
    await answer()
    return usage()
  }
  return seen
}

describe('watching what tasks use', () => {
  it('samples a task once for all who watch it at the same pace', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('sleep', '60')
      await task.start()
      const seen = sampled(task, async () => {})
      const streams = [1, 2, 3].map(() => lastValueFrom(task.usage$(20).pipe(take(5), toArray())))
      const [first, ...others] = await Promise.all(streams)
      for (const other of others) assert.deepEqual(other, first)
      assert.ok(seen.count <= 6, `${seen.count} samples for 5 ticks`)
    }))

  it('ends the streams of the one task that cannot be sampled, and no other', () =>
    withWorkbench('basic', async bench => {
      const [good, bad] = [bench.command('sleep', '60'), bench.command('sleep', '60')]
      await Promise.all([good.start(), bad.start()])
      sampled(bad, () => Promise.reject(new Error('no')))
      const goods = lastValueFrom(good.usage$(20).pipe(take(5), toArray()))
      await assert.rejects(firstValueFrom(bad.usage$(20)), /no/)
      assert.equal((await goods).length, 5)
    }))

  it('completes when the task ends, also between two samples far apart, and for one that has ended', () =>
    withWorkbench('basic', async bench => {
      const task = bench.shell('echo up; read gone < /dev/null; sleep 0.2')
      await task.start()
      await untilOutput(task, 'up')
      assert.equal((await lastValueFrom(task.usage$(3_600_000).pipe(toArray()))).length, 1)
      assert.deepEqual(await lastValueFrom(task.usage$().pipe(toArray())), [])
    }))

  it('lets the program end when nobody watches any more', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('sleep', '60')
      await task.start()
      const seen = sampled(task, async () => {})
      await firstValueFrom(task.usage$(20))
      const { count } = seen
      await new Promise(resolve => setTimeout(resolve, 100))
      assert.equal(seen.count, count)
    }))
})
