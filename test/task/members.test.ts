import { strict as assert } from 'node:assert'
import { runFixture } from '../support/fixture.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const states = [
  'configured',
  'limited',
  'launching',
  'running',
  'stopping',
  'exited',
  'destroyed',
  'closed',
  'reopened',
]

describe('every member of Executor and Supervisor, then close()', function () {
  this.timeout(300_000)
  for (const state of states) {
    it(`${state}: nothing rejects unhandled, throws another error than HoldfastError, or goes on`, async () => {
      const stateDir = temporaryDirectory('members')
      try {
        const { stdout } = await runFixture('members', { stateDir, arguments: [state] })
        assert.equal(stdout, '')
      } finally {
        removeTemporary(stateDir)
      }
    })
  }
})
