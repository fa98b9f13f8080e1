import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BehaviorSubject, firstValueFrom, lastValueFrom, NEVER, of, take, tap, toArray } from 'rxjs'
import type { Executor, TaskState, Usage } from '../../src/index.ts'
import { UsageSweep } from '../../src/task/usage-sweep.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { openUnder } from '../support/descriptors.ts'
import { requires } from '../support/requires.ts'
import { sampled } from '../support/sampled.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

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
      const task = bench.shell('while [ ! -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done')
      await task.start()
      const go = join(bench.stateDir, 'allocs', task.key, 'sh/local/go')
      const samples = task.usage$(3_600_000).pipe(
        tap(() => writeFileSync(go, '')),
        toArray(),
      )
      assert.equal((await lastValueFrom(samples)).length, 1)
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

  describe('with cgroups', () => {
    before(function () {
      requires(this, 'linux', 'root', 'native')
    })

    const limited = async (bench: Workbench, supervisor = bench.supervisor): Promise<Executor> => {
      const task = bench.commandOf(supervisor, 'sleep', '60')
      await task.limit({ memoryMB: 32, pids: 16, cpuLimit: 1 })
      await task.start()
      return task
    }
    const held = (): number => openUnder('/sys/fs/cgroup').length

    it('keeps their files open for as long as somebody watches', () =>
      withWorkbench('linux', async bench => {
        const task = await limited(bench)
        await task.usage()
        assert.equal(held(), 0, 'one sample keeps nothing')
        const watchers = [20, 20, 30].map(pace => task.usage$(pace).subscribe())
        await firstValueFrom(task.usage$(20))
        const files = held()
        assert.ok(files >= 6, `${files} files`)
        for (let sample = 0; sample < 20; sample++) await task.usage()
        assert.equal(held(), files)
        watchers[0]?.unsubscribe()
        watchers[0]?.unsubscribe()
        watchers[2]?.unsubscribe()
        assert.equal(held(), files, 'somebody is left')
        watchers[1]?.unsubscribe()
        assert.equal(held(), 0)
      }))

    it('closes them when the task has ended, and gives no sample of it any more', () =>
      withWorkbench('linux', async bench => {
        const task = await limited(bench)
        const samples: Usage[] = []
        const ended = new Promise<void>((resolve, reject) =>
          task.usage$(10).subscribe({ next: one => samples.push(one), complete: resolve, error: reject }),
        )
        await firstValueFrom(task.usage$(10))
        assert.ok(held() > 0)
        await task.forceStop()
        await ended
        assert.equal(held(), 0)
        const { length } = samples
        await new Promise(resolve => setTimeout(resolve, 50))
        assert.equal(samples.length, length)
        // What was sampled between its death and the news of it is what it was, or unknown.
        for (const { memoryLimitBytes } of samples) assert.ok([32 << 20, null].includes(memoryLimitBytes))
      }))

    it('closes them when the supervisor lets go of the task', () =>
      withWorkbench('linux', async bench => {
        const supervisor = bench.another()
        const task = await limited(bench, supervisor)
        const completed = lastValueFrom(task.usage$(20).pipe(toArray()))
        await firstValueFrom(task.usage$(20))
        assert.ok(held() > 0)
        await supervisor.close()
        await completed
        assert.equal(held(), 0)
      }))

    it('sees other limits in the next sample, also those that another supervisor has set', () =>
      withWorkbench('linux', async bench => {
        const task = await limited(bench)
        const watcher = task.usage$(20).subscribe()
        assert.equal((await firstValueFrom(task.usage$(20))).memoryLimitBytes, 32 << 20)
        await task.update({ memoryMB: 48 })
        assert.equal((await task.usage()).memoryLimitBytes, 48 << 20)
        const other = await bench.another().open(task.id())
        await other.update({ memoryMB: 40 })
        assert.equal((await task.usage()).memoryLimitBytes, 40 << 20)
        watcher.unsubscribe()
      }))
  })
})

describe('a sweep, without tasks', () => {
  let clock: FakeClock
  let sweep: UsageSweep
  beforeEach(() => {
    clock = new FakeClock()
    sweep = new UsageSweep()
  })
  afterEach(() => clock.restore())

  it('works once for all who want it of one owner at one pace, at once and at each tick', async () => {
    let works = 0
    const work = () => of(++works)
    const owner = {}
    const seen: number[][] = [[], []]
    const subscriptions = seen.map(list => sweep.every(owner, 20, work).subscribe(value => list.push(value)))
    assert.equal(works, 0)
    await clock.passSlowly(1)
    await clock.passSlowly(40, 20)
    assert.deepEqual(seen, [
      [1, 2, 3],
      [1, 2, 3],
    ])
    for (const subscription of subscriptions) subscription.unsubscribe()
    assert.equal(clock.waiting, 0)
  })

  it('puts work that takes longer than the interval in the place of the next', async () => {
    let works = 0
    const watching = sweep
      .every({}, 20, () => {
        works++
        return NEVER
      })
      .subscribe()
    await clock.passSlowly(100, 20)
    // At once, and at the first tick.
    assert.equal(works, 2)
    watching.unsubscribe()
  })

  it('takes milliseconds that a timer can wait', () => {
    for (const intervalMs of [9, Number.NaN, 2 ** 31])
      assert.throws(() => sweep.every({}, intervalMs, () => of(0)), { code: 'INVALID_ARGUMENT' })
    sweep.every({}, 2 ** 31 - 1, () => of(0))
  })

  it('samples a task until it has ended, and not a task that had', async () => {
    const state$ = new BehaviorSubject<TaskState>('running')
    const task = {
      get state() {
        return state$.value
      },
      state$,
      usage: async () => ({ pids: 1 }),
    } as unknown as Executor
    const samples: Usage[] = []
    let completions = 0
    const watch = () =>
      sweep.stream(task, 20).subscribe({ next: one => samples.push(one), complete: () => completions++ })
    watch()
    await clock.passSlowly(41, 1)
    assert.deepEqual([samples.length, completions], [3, 0])
    state$.next('exited')
    state$.complete()
    watch()
    await settle()
    assert.deepEqual([samples.length, completions, clock.waiting], [3, 2, 0])
  })

  it('passes on what a sample fails with, unless the task has ended meanwhile', async () => {
    const states = ['running', 'exited'] as const
    const ends: unknown[] = []
    for (const state of states) {
      const task = { state: 'running', state$: NEVER, usage: () => Promise.reject(new Error('no')) }
      sweep
        .stream(task as unknown as Executor, 20)
        .subscribe({ error: () => ends.push('failed'), complete: () => ends.push('ended') })
      Object.assign(task, { state })
    }
    await clock.passSlowly(1)
    assert.deepEqual(ends, ['failed'])
  })
})
