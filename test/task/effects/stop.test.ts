import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StopInput } from '../../../machines/index.ts'
import { Bypass } from '../../../src/task/effects/bypass.ts'
import { stop } from '../../../src/task/effects/stop.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask, recorded } from '../../support/fake-task.ts'

function asked(task: FakeTask, graceMs: number): StopInput {
  const { key } = task.file.spec.request
  return { key, signal: 'SIGTERM', killAt: Date.now() + graceMs }
}

const silent = { endInput: () => {}, bypass: new Bypass() }

describe('the actor stop', () => {
  let task: FakeTask
  let shim: FakeShim
  let ended: AbortController

  beforeEach(() => {
    task = recorded(fakeTask())
    shim = new FakeShim(task.dir)
    shim.started()
    ended = new AbortController()
  })
  afterEach(() => shim.gone())

  it('asks with the signal and what is left of the grace, and kills at the deadline', async () => {
    const began = performance.now()
    const stopping = stop(task, asked(task, 1000), ended.signal, silent)
    // Before anything else can run.
    const [order = '', ...others] = shim.told()
    const left = Number(/^stop 15 (\d+)$/.exec(order)?.[1])
    assert.ok(left > 0 && left <= 1000, order)
    assert.deepEqual(others, [])
    await eventually(() => assert.deepEqual(shim.told(), ['kill']))
    assert.ok(performance.now() - began > 900)
    ended.abort()
    await stopping
  })

  it('kills at once without a grace', async () => {
    const stopping = stop(task, asked(task, 0), ended.signal, silent)
    await eventually(() => assert.deepEqual(shim.told(), ['kill']))
    ended.abort()
    await stopping
  })

  it('names the leader where the first signal is for it alone', async () => {
    const stopping = stop(task, { ...asked(task, 1000), target: 'leader' }, ended.signal, silent)
    assert.match(shim.told()[0] ?? '', /^stop 15 \d+ leader$/)
    ended.abort()
    await stopping
  })

  it('has the deadline on disk before the shim hears of it', async () => {
    task.view.delivered = 3
    const stopping = stop(task, asked(task, 1000), ended.signal, silent)
    const { spec } = JSON.parse(readFileSync(join(task.dir, 'task.json'), 'utf8')) as {
      spec: { delivered: number }
    }
    assert.equal(spec.delivered, 3)
    ended.abort()
    await stopping
  })

  it('kills nobody when the task ends, or is let go of, within the grace', async () => {
    const stopping = stop(task, asked(task, 100), ended.signal, silent)
    ended.abort()
    await stopping
    await sleep(150)
    assert.deepEqual(
      shim.told().filter(line => line === 'kill'),
      [],
    )
  })

  it('goes past a shim that does not act: kills the tree, says so, and names what is left', async function () {
    this.timeout(30_000)
    const bypass = new Bypass()
    const stubborn = recorded(fakeTask({ keeper: { killTree: async () => [42] } }))
    const deaf = new FakeShim(stubborn.dir)
    deaf.started()
    const stopping = stop(stubborn, asked(stubborn, 0), ended.signal, {
      ...silent,
      bypass,
    })
    await assert.rejects(stopping, { code: 'LOST', message: /still alive: 42/ })
    assert.deepEqual([bypass.cause, bypass.survivors], ['forced', null])
    deaf.gone()
  })
})
