import { strict as assert } from 'node:assert'
import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs'
import type { Executor } from '../../src/index.ts'
import { openUnder } from '../support/descriptors.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { sampled } from '../support/sampled.ts'
import { keyOf } from '../support/task-key.ts'
import { withWorkbench } from '../support/workbench.ts'

describe('what all tasks of a supervisor use', () => {
  it('has those that run, by key: with those that are started meanwhile, and without those that have ended', () =>
    withWorkbench('basic', async bench => {
      const { supervisor } = bench
      const usage$ = supervisor.usage$(20)
      assert.equal((await firstValueFrom(usage$)).size, 0)
      const [first, second] = [bench.command('sleep', '60'), bench.command('sleep', '60')]
      const both = firstValueFrom(usage$.pipe(filter(({ size }) => size === 2)))
      await Promise.all([first.start(), second.start()])
      assert.deepEqual([...(await both).keys()].sort(), [keyOf(first), keyOf(second)].sort())
      const one = firstValueFrom(usage$.pipe(filter(({ size }) => size === 1)))
      await first.forceStop()
      const [[key, usage] = []] = [...(await one)]
      assert.equal(key, keyOf(second))
      assert.ok((usage?.memoryBytes ?? 0) > 0)
    }))

  it('is sampled once for all who want it equally often', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('sleep', '60')
      await task.start()
      const seen = sampled(task)
      const streams = [1, 2, 3].map(() => lastValueFrom(bench.supervisor.usage$(20).pipe(take(5), toArray())))
      const [first, ...others] = await Promise.all(streams)
      for (const other of others) assert.deepEqual(other, first)
      assert.ok(seen.count <= 6, `${seen.count} samples for 5 ticks`)
    }))

  it('leaves out the task that cannot be sampled, and goes on', () =>
    withWorkbench('basic', async bench => {
      const [good, bad] = [bench.command('sleep', '60'), bench.command('sleep', '60')]
      await Promise.all([good.start(), bad.start()])
      const seen = sampled(bad, () => Promise.reject(new Error('no')))
      const samples = await lastValueFrom(bench.supervisor.usage$(20).pipe(take(3), toArray()))
      assert.deepEqual(
        samples.map(usages => [...usages.keys()]),
        samples.map(() => [keyOf(good)]),
      )
      assert.ok(seen.count >= 3)
    }))

  it('completes with close(), also for who subscribes afterwards', () =>
    withWorkbench('basic', async bench => {
      const supervisor = bench.another()
      const usage$ = supervisor.usage$(20)
      const end = lastValueFrom(usage$)
      await firstValueFrom(usage$)
      await supervisor.close()
      assert.equal((await end).size, 0)
      assert.equal(await lastValueFrom(usage$, { defaultValue: null }), null)
    }))

  it('refuses an interval that no timer can keep', () =>
    withWorkbench('basic', async ({ supervisor }) => {
      for (const interval of [0, 9, Number.NaN, 2 ** 31])
        await refuses((async () => supervisor.usage$(interval))(), {
          code: 'INVALID_ARGUMENT',
          message: /intervalMs: got/,
        })
    }))

  it('is read from files that stay open for as long as somebody subscribes', function () {
    requires(this, 'linux', 'root', 'native')
    return withWorkbench('linux', async bench => {
      const held = (): number => openUnder('/sys/fs/cgroup').length
      const limited = async (): Promise<Executor> => {
        const task = bench.command('sleep', '60')
        await task.limit({ memoryMB: 32, pids: 16 })
        await task.start()
        return task
      }
      const first = await limited()
      const usage$ = bench.supervisor.usage$(20)
      await firstValueFrom(usage$)
      assert.equal(held(), 0, 'one sample keeps nothing')
      const watcher = usage$.subscribe()
      await firstValueFrom(usage$)
      const files = held()
      assert.ok(files > 0)
      const both = firstValueFrom(usage$.pipe(filter(({ size }) => size === 2)))
      await limited()
      await both
      assert.equal(held(), 2 * files, 'one that was started meanwhile')
      await first.forceStop()
      assert.equal(held(), files, 'one that has ended')
      watcher.unsubscribe()
      assert.equal(held(), 0)
    })
  })
})
