import { strict as assert } from 'node:assert'
import { getEventListeners } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { untilGone } from '../../src/task/until-gone.ts'
import { settle } from '../support/fake-clock.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { requires } from '../support/requires.ts'
import { Sleeper } from '../support/sleeper.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('who waits until a shim is gone', () => {
  let dir = ''
  let shim: FakeShim
  let sleeper: Sleeper
  let letGo: AbortController
  let keepAlive: KeepAlive
  let release: () => void
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    dir = temporaryDirectory('gone')
    shim = new FakeShim(dir)
    sleeper = new Sleeper()
    letGo = new AbortController()
    keepAlive = new KeepAlive()
    release = keepAlive.hold()
  })
  afterEach(async () => {
    letGo.abort()
    release()
    shim.gone()
    await sleeper.end()
    removeTemporary(dir)
  })

  /** And whether it is over, when all that needs no time has been done. */
  function waiting(recorded: Parameters<typeof untilGone>[1] = null) {
    let over = false
    const gone = untilGone(dir, recorded, keepAlive, letGo.signal).then(() => void (over = true))
    const isOver = async () => {
      await settle()
      return over
    }
    return { gone, isOver }
  }

  it('is told when nobody holds its FIFO any more, and not before', async () => {
    const { gone, isOver } = waiting()
    assert.equal(await isOver(), false)
    shim.gone()
    await gone
    assert.deepEqual(getEventListeners(letGo.signal, 'abort'), [])
  })

  it('is told at once of one that is gone already, or was never there', async () => {
    shim.gone()
    await waiting().gone
    rmSync(join(dir, 'alive'))
    await waiting().gone
  })

  it('waits no longer when nobody wants to know, though the shim lives', async () => {
    const { gone, isOver } = waiting()
    assert.equal(await isOver(), false)
    letGo.abort()
    await gone
    await waiting().gone
    assert.deepEqual(getEventListeners(letGo.signal, 'abort'), [])
  })

  for (const [what, put] of [
    ['is gone', () => {}],
    ['is another', () => writeFileSync(join(dir, 'alive'), '')],
  ] as const) {
    it(`looks at the recorded process where the FIFO ${what}`, async () => {
      const start = shim.started(1, { shim: sleeper.identity })
      rmSync(join(dir, 'alive'))
      put()
      const { gone, isOver } = waiting(start)
      assert.equal(await isOver(), false)
      await sleeper.end()
      await gone
    })

    it(`lets go of the recorded process where the FIFO ${what}`, async () => {
      const start = shim.started(1, { shim: sleeper.identity })
      rmSync(join(dir, 'alive'))
      put()
      const { gone, isOver } = waiting(start)
      assert.equal(await isOver(), false)
      letGo.abort()
      await gone
      assert.notEqual(sleeper.state, null)
    })
  }

  it('is told by the FIFO where the recorded process is another’s by now', async () => {
    const { pid, startTime } = sleeper.identity
    const start = shim.started(1, { shim: { pid, startTime: startTime + 1 } })
    const { gone, isOver } = waiting(start)
    assert.equal(await isOver(), false)
    shim.gone()
    await gone
  })

  it('is told that it cannot be seen where no FIFO lies there and nobody lives who was recorded', async () => {
    rmSync(join(dir, 'alive'))
    writeFileSync(join(dir, 'alive'), '')
    await assert.rejects(waiting().gone, { code: 'STATE_CORRUPT' })
  })
})
