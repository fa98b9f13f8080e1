import { strict as assert } from 'node:assert'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRecord } from '../../machines/index.ts'
import { Bypass } from '../../src/task/effects/bypass.ts'
import { deliverSignal, deliverSize } from '../../src/task/running/deliver.ts'
import { killByAllMeans, type StopMeans, tellShim, written } from '../../src/task/stop-means.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { type FakeTask, fakeTask, recorded } from '../support/fake-task.ts'

describe('the means of an end', () => {
  let task: FakeTask
  let shim: FakeShim
  let start: StartRecord
  beforeEach(() => {
    task = recorded(fakeTask())
    shim = new FakeShim(task.dir)
    start = shim.started()
  })
  afterEach(() => shim.gone())

  /** Each pause is over at once; `pauses` has how long they would have been. */
  function means(changes: Partial<StopMeans> = {}) {
    const pauses: number[] = []
    const kills: string[] = []
    const abandoned = new AbortController()
    const all: StopMeans = {
      dir: task.dir,
      start: () => start,
      killTask: async () => {
        kills.push('kill')
        return []
      },
      pause: async milliseconds => {
        pauses.push(milliseconds)
      },
      abandoned: abandoned.signal,
      ...changes,
    }
    return { all, pauses, kills, abandoned }
  }

  it('are told down the FIFO where a shim reads it', () => {
    assert.equal(tellShim({ dir: task.dir, start: () => start }, 'kill'), 'fifo')
    assert.deepEqual(shim.told(), ['kill'])
  })

  it('are nobody’s where neither FIFO nor shim are left, and none is written where no FIFO is', () => {
    shim.gone()
    assert.equal(tellShim({ dir: task.dir, start: () => start }, 'kill'), null)
    assert.equal(tellShim({ dir: task.dir, start: () => null }, 'stop 15 0'), null)
    rmSync(join(task.dir, 'control'))
    writeFileSync(join(task.dir, 'control'), '')
    assert.equal(written(task.dir, 'kill'), false)
    rmSync(join(task.dir, 'control'))
    mkdirSync(join(task.dir, 'control'))
    assert.equal(written(task.dir, 'kill'), false)
  })

  it('are used one after the other until it is abandoned: the shim first, then the task itself', async () => {
    const { all, pauses, kills, abandoned } = means({
      killTask: async () => {
        kills.push('kill')
        if (kills.length === 2) abandoned.abort()
        return [7]
      },
    })
    let bypassed = 0
    assert.deepEqual(await killByAllMeans(all, () => bypassed++), [])
    assert.deepEqual(shim.told(), ['kill'])
    assert.deepEqual([kills.length, bypassed], [2, 2])
    assert.deepEqual(pauses.slice(0, 2), [1000, 2000])
  })

  it('end with the shim’s own answer where that comes in time', async () => {
    const { all, kills, abandoned } = means({
      pause: async () => abandoned.abort(),
    })
    assert.deepEqual(await killByAllMeans(all), [])
    assert.deepEqual(kills, [])
  })

  it('are none where nothing is known of its processes', async () => {
    const { all, kills } = means({ start: () => null })
    assert.deepEqual([await killByAllMeans(all), kills], [[], []])
  })

  it('tell a shim that keeps a deadline of its own nothing', async () => {
    const { all, abandoned } = means({
      pause: async () => abandoned.abort(),
    })
    await killByAllMeans(all, () => {}, 'continue')
    assert.deepEqual(shim.told(), [])
  })

  describe('a bypass', () => {
    it('has the first of two causes, and is over when every means has been used', async () => {
      const bypass = new Bypass()
      assert.deepEqual([bypass.cause, bypass.survivors], [null, null])
      bypass.begin('timeout')
      bypass.begin('forced')
      assert.equal(bypass.cause, 'timeout')
      bypass.end([7])
      await bypass.over
      assert.deepEqual(bypass.survivors, [7])
    })
  })

  describe('a signal for the task', () => {
    it('goes by its shim', () => {
      deliverSignal(task, 'SIGHUP')
      deliverSize(task, 24, 80)
      assert.deepEqual(shim.told(), ['signal 1', 'size 24 80'])
    })

    it('cannot be delivered once the task has ended; a size needs not', function () {
      if (process.platform === 'win32') return this.skip()
      shim.gone()
      assert.throws(() => deliverSignal(task, 'SIGHUP'), { code: 'INVALID_STATE', message: /has just ended/ })
      assert.doesNotThrow(() => deliverSize(task, 24, 80))
    })
  })
})
