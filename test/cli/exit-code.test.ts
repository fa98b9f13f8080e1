import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { exitCodeOf } from '../../src/cli/exit-code.ts'
import { HoldfastError } from '../../src/index.ts'

const nothing = { cause: 'exited', exitCode: null, signal: null, error: null } as const

describe('exitCodeOf', () => {
  it("is the task's own exit code", () => {
    fc.assert(
      fc.property(fc.nat(255), exitCode => assert.equal(exitCodeOf({ ...nothing, exitCode }), exitCode)),
    )
  })

  it('is 128 and the number of the signal', () => {
    assert.equal(exitCodeOf({ ...nothing, signal: 'SIGKILL' }), 137)
    assert.equal(exitCodeOf({ ...nothing, signal: 'SIGTERM' }), 143)
    assert.equal(exitCodeOf({ ...nothing, signal: 'SIGRTMIN+3' as NodeJS.Signals }), 165)
  })

  it("is a shell's for what could not be executed, and 125 for any other failure", () => {
    const failed = (stage: string, errno: string) =>
      exitCodeOf({ ...nothing, error: new HoldfastError('START_FAILED', 'no', { stage, errno }) })
    assert.equal(failed('exec', 'ENOENT'), 127)
    assert.equal(failed('exec', 'EACCES'), 126)
    assert.equal(failed('exec', 'ENOEXEC'), 126)
    assert.equal(failed('chdir', 'ENOENT'), 125)
  })

  it('is 124 when the time was up, as of timeout(1), whatever the program made of it', () => {
    for (const end of [
      { exitCode: 0 },
      { exitCode: 3 },
      { signal: 'SIGTERM' },
      { signal: 'SIGKILL' },
    ] as const)
      assert.equal(exitCodeOf({ ...nothing, ...end, cause: 'timeout' }), 124)
  })

  it('is never 0 for an end that nobody knows', () => {
    assert.equal(exitCodeOf(nothing), 125)
  })
})
