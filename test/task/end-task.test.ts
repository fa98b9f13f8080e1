import { strict as assert } from 'node:assert'
import { endTask } from '../../src/task/end-task.ts'
import { eventually } from '../support/eventually.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { Sleeper } from '../support/sleeper.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('the end of a task that no supervisor holds', () => {
  before(function () {
    if (process.platform === 'win32') this.skip()
  })

  const sleepers: Sleeper[] = []
  const sleeper = () => {
    const made = new Sleeper()
    sleepers.push(made)
    return made
  }
  let dir: string
  let shim: FakeShim
  beforeEach(() => {
    dir = temporaryDirectory('end-task')
    shim = new FakeShim(dir)
  })
  afterEach(async () => {
    shim.gone()
    for (const each of sleepers.splice(0)) await each.end()
  })

  it('is there at once where neither shim nor task is', async () => {
    shim.gone()
    assert.deepEqual(await endTask(dir, shim.started()), [])
  })

  it('kills what a shim has left that is gone', async () => {
    const leader = sleeper()
    shim.gone()
    assert.deepEqual(await endTask(dir, shim.started(1, { task: leader.identity })), [])
    await eventually(() => assert.ok(leader.state === null || leader.state === 'Z'))
  })

  it('asks a shim that lives, and is there when that is gone', async () => {
    const living = sleeper()
    const ended = endTask(dir, shim.started(1, { shim: living.identity }))
    await eventually(() => assert.deepEqual(shim.told(), ['kill']))
    await living.end()
    assert.deepEqual(await ended, [])
  })
})
