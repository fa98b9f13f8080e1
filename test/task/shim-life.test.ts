import { strict as assert } from 'node:assert'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { currentBootId } from '../../src/spawn/process-table.ts'
import { aliveIsHeld, isRunning, shimLives, shimMayLive } from '../../src/task/shim-life.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { requires } from '../support/requires.ts'
import { Sleeper } from '../support/sleeper.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('whether the shim of a task lives', () => {
  let dir = ''
  let shim: FakeShim
  let sleeper: Sleeper
  before(function () {
    requires(this, 'linux')
  })
  beforeEach(() => {
    dir = temporaryDirectory('life')
    shim = new FakeShim(dir)
    sleeper = new Sleeper()
  })
  afterEach(async () => {
    shim.gone()
    await sleeper.end()
    removeTemporary(dir)
  })

  const alive = () => join(dir, 'alive')
  const recorded = (bootId = currentBootId()) => ({ shim: sleeper.identity, bootId })
  const others = {
    'a file': () => writeFileSync(alive(), ''),
    'a directory': () => mkdirSync(alive()),
    'a link': () => symlinkSync('/dev/null', alive()),
  }

  it('is told by its FIFO, whatever was recorded', () => {
    assert.equal(shimLives(dir, null), true)
    shim.gone()
    assert.equal(shimLives(dir, null), false)
  })

  it('is told by the recorded process where the FIFO is gone', async () => {
    rmSync(alive())
    assert.equal(shimLives(dir, null), false)
    assert.equal(shimLives(dir, recorded()), true)
    await sleeper.end()
    assert.equal(shimLives(dir, recorded()), false)
  })

  it('is not told by a process of another start time, nor of another boot', () => {
    const { pid, startTime } = sleeper.identity
    assert.equal(isRunning(recorded()), true)
    assert.equal(isRunning({ ...recorded(), shim: { pid, startTime: startTime + 1 } }), false)
    assert.equal(isRunning(recorded('00000000-0000-0000-0000-000000000000')), false)
    assert.equal(isRunning(null), false)
  })

  for (const [what, put] of Object.entries(others)) {
    it(`is told by the recorded process where ${what} lies in the place of the FIFO`, async () => {
      rmSync(alive())
      put()
      assert.equal(aliveIsHeld(dir), false)
      assert.equal(shimLives(dir, recorded()), true)
      await sleeper.end()
      assert.equal(shimLives(dir, recorded()), false)
    })

    it(`is told by nothing where ${what} lies there and nobody was recorded: it may live`, () => {
      rmSync(alive())
      put()
      assert.throws(() => shimLives(dir, null), { code: 'STATE_CORRUPT' })
      assert.equal(shimMayLive(dir), true)
    })
  }

  describe('by its directory alone', () => {
    it('is no when its FIFO is held by nobody, and its record names nobody who lives', () => {
      shim.started()
      shim.gone()
      assert.equal(shimMayLive(dir), false)
    })

    it('is yes when the record names one who lives', () => {
      shim.started(1, { shim: sleeper.identity })
      shim.gone()
      assert.equal(shimMayLive(dir), true)
    })

    it('is what the FIFO says where the record cannot be believed', () => {
      writeFileSync(join(dir, 'start.json'), '{')
      assert.equal(shimMayLive(dir), true)
      shim.gone()
      assert.equal(shimMayLive(dir), false)
    })

    it('is no where there is no directory', () => {
      assert.equal(shimMayLive(join(dir, 'absent')), false)
    })
  })
})
