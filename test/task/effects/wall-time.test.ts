import { strict as assert } from 'node:assert'
import type { StartRecord } from '../../../machines/index.ts'
import { bootMs } from '../../../src/spawn/boot-clock.ts'
import { LetGo } from '../../../src/task/let-go.ts'
import { Bypass } from '../../../src/task/effects/bypass.ts'
import { WallTime } from '../../../src/task/effects/wall-time.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask, recorded } from '../../support/fake-task.ts'
import { requires } from '../../support/requires.ts'
import { Sleeper } from '../../support/sleeper.ts'

/** Of the tasks here; the shim has a second more to act by itself. */
const limitMs = 60_000
const lateMs = 1000
const graceMs = 5000

describe('the second keeper of the wall time limit', () => {
  let task: FakeTask
  let shim: FakeShim
  let bypass: Bypass
  let letGo: LetGo
  let clock: FakeClock | null
  let limit: number | null
  let asked: number
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    task = recorded(fakeTask())
    shim = new FakeShim(task.dir)
    bypass = new Bypass()
    letGo = new LetGo()
    limit = limitMs
    asked = 0
    clock = null
  })
  afterEach(() => {
    letGo.abort()
    clock?.restore()
    shim.gone()
  })

  /** The task has run for so long. */
  function running(ranMs: number, named: Partial<StartRecord> = {}): void {
    const startTime = Math.floor((bootMs() - ranMs) / 10)
    shim.started(1, { task: { pid: 0x3fffff, startTime }, ...named })
  }

  function keeping(limited = true): WallTime {
    const wall = new WallTime(
      task,
      () => {
        asked++
        return limit
      },
      bypass,
    )
    wall.begin(letGo, limited)
    return wall
  }

  it('kills the task past its shim when limit and grace are over, and says for what', async () => {
    running(limitMs + lateMs + graceMs + 100)
    clock = new FakeClock()
    keeping()
    await clock.passSlowly(1900, 100)
    assert.deepEqual([task.calls, bypass.cause], [[], null], 'the shim may act yet')
    await clock.passSlowly(200, 100)
    assert.deepEqual([task.calls[0], bypass.cause, bypass.survivors], ['killTree', 'timeout', null])
    assert.deepEqual(shim.told(), [], 'the shim has a deadline of its own')
    await clock.passSlowly(16_000, 500)
    assert.deepEqual(bypass.survivors, [])
    assert.equal(clock.waiting, 0)
  })

  it('goes on killing no more once the task has ended, and says nothing of survivors', async () => {
    running(limitMs + lateMs + graceMs + 100)
    clock = new FakeClock()
    keeping()
    await clock.passSlowly(2100, 100)
    letGo.abort()
    await clock.passSlowly(30_000, 1000)
    assert.deepEqual([task.calls, bypass.survivors], [['killTree'], null])
    assert.equal(clock.waiting, 0)
  })

  it('continues a shim that somebody has stopped when the limit is over, and gives it the grace', async () => {
    const sleeper = new Sleeper()
    try {
      await sleeper.stop()
      running(limitMs + lateMs + 100, { shim: sleeper.identity })
      keeping()
      await eventually(() => assert.notEqual(sleeper.state, 'T'))
      assert.deepEqual([task.calls, bypass.cause], [[], null])
    } finally {
      await sleeper.end()
    }
  })

  it('leaves a stopped shim alone before the limit is over', async () => {
    const sleeper = new Sleeper()
    try {
      await sleeper.stop()
      running(limitMs / 2, { shim: sleeper.identity })
      keeping()
      await settle()
      assert.equal(sleeper.state, 'T')
    } finally {
      await sleeper.end()
    }
  })

  it('keeps the limit that the task has been given since', async () => {
    running(limitMs + lateMs + graceMs + 100)
    limit = 10 * limitMs
    clock = new FakeClock()
    const wall = keeping()
    await clock.passSlowly(10_000, 1000)
    assert.deepEqual(task.calls, [])
    limit = limitMs
    wall.changed()
    await clock.passSlowly(2100, 100)
    assert.deepEqual([task.calls[0], bypass.cause], ['killTree', 'timeout'])
  })

  it('looks again after a minute: another program may have shortened it', async () => {
    running(limitMs + lateMs + graceMs + 100)
    limit = 100 * limitMs
    clock = new FakeClock()
    keeping()
    await clock.passSlowly(59_000, 1000)
    limit = limitMs
    await settle()
    assert.deepEqual(task.calls, [])
    await clock.passSlowly(5000, 100)
    assert.equal(task.calls[0], 'killTree')
  })

  it('keeps nothing of a task without a limit, and begins with the one that it is given', async () => {
    running(limitMs + lateMs + graceMs + 100)
    limit = null
    clock = new FakeClock()
    const wall = keeping()
    await settle()
    assert.deepEqual([asked, clock.waiting], [1, 0])
    limit = limitMs
    wall.changed()
    await clock.passSlowly(2100, 100)
    assert.equal(task.calls[0], 'killTree')
  })

  it('is not asked for by a task that is known to have none', async () => {
    running(0)
    const wall = keeping(false)
    await settle()
    assert.equal(asked, 0)
    wall.changed()
    assert.ok(asked > 0)
  })

  it('kills nobody by a record of an earlier life of the host, or by none', async () => {
    clock = new FakeClock()
    keeping()
    running(limitMs + lateMs + graceMs + 100, { bootId: '00000000-0000-0000-0000-000000000000' })
    await clock.passSlowly(180_000, 10_000)
    assert.deepEqual([task.calls, bypass.cause], [[], null])
  })

  it('survives a limit that cannot be read, and keeps the next', async () => {
    running(limitMs + lateMs + graceMs + 100)
    clock = new FakeClock()
    let readable = false
    const wall = new WallTime(
      task,
      () => {
        if (!readable) throw new Error('no such limits')
        return limitMs
      },
      bypass,
    )
    wall.begin(letGo)
    await clock.passSlowly(5000, 1000)
    assert.deepEqual(task.calls, [])
    readable = true
    wall.changed()
    await clock.passSlowly(2100, 100)
    assert.equal(task.calls[0], 'killTree')
  })
})
