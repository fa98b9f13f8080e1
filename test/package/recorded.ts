import assert from 'node:assert/strict'
import { requires } from '../support/requires.ts'
import { recorded, recording, shapeOf } from './empty-machine.ts'
import { pack } from './package.ts'

describe('the recording in README', function () {
  this.timeout(1_200_000)
  before(function () {
    requires(this, 'linux', 'root', 'native', 'isolation', 'own-cgroup')
  })

  it('is what a machine with Node, npm and a shell says today, but for times, sizes and keys', () => {
    assert.deepEqual(shapeOf(recording()), shapeOf(recorded(pack().tarball)))
  })
})
