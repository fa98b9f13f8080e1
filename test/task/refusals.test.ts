import { strict as assert } from 'node:assert'
import { HoldfastError } from '../../src/errors.ts'
import { LaunchFailed, SpawnerDied } from '../../src/spawn/spawner.ts'
import { believedAsked } from '../../src/task/believed-asked.ts'
import { destroyed, detached, keyIn, noCommand, survived } from '../../src/task/call-refusals.ts'
import { inWords, launchFailure } from '../../src/task/effects/launch-failure.ts'
import { inputFailure } from '../../src/task/input-failure.ts'
import { overlayConflict, overlayFailure } from '../../src/task/overlay-failure.ts'
import { formatTaskId } from '../../src/task/task-id.ts'
import { plainExit } from '../support/exit-record.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { fakeTask, recorded } from '../support/fake-task.ts'
import { requires } from '../support/requires.ts'

const facts = (error: unknown) => {
  const { code, stage, errno, path, hint } = error as HoldfastError
  return { code, stage, errno, path, hinted: hint !== undefined }
}
const none = { stage: undefined, errno: undefined, path: undefined, hinted: true }

describe('what a task refuses, and what it says of what has failed', () => {
  it('names the call and the way out', () => {
    for (const error of [detached(new Error('closed')), destroyed('start'), noCommand()])
      assert.deepEqual(facts(error), { ...none, code: 'INVALID_STATE' })
    assert.match(destroyed('wait').message, /^wait\(\) is refused/)
    assert.match(survived([7, 8]).message, /still alive: 7, 8$/)
  })

  it('takes ids of its own state directory alone', () => {
    const id = formatTaskId('/ours', 'mx14wyambjg29o')
    assert.equal(keyIn('/ours', id), 'mx14wyambjg29o')
    assert.throws(() => keyIn('/theirs', id), { code: 'INVALID_ARGUMENT', message: /\/ours.*\/theirs/ })
  })

  it('believes nothing of task.json that no start has asked for', () => {
    assert.equal(believedAsked(null, '/state'), null)
    assert.throws(() => believedAsked({ seccomp: 1 } as never, '/state'), {
      code: 'STATE_CORRUPT',
      message: /^\/state\/task\.json cannot be used: spec\.asked\./,
    })
  })

  it('has the words of the exit record for a launch that failed, or else those of who failed', function () {
    requires(this, 'linux')
    const task = recorded(fakeTask())
    assert.deepEqual(facts(launchFailure(task.dir, new LaunchFailed('exec', 2, '/absent'))), {
      ...{ code: 'START_FAILED', stage: 'exec', errno: 'ENOENT', path: '/absent', hinted: true },
    })
    assert.deepEqual(facts(launchFailure(task.dir, new SpawnerDied('it is gone'))), {
      ...none,
      ...{ code: 'START_FAILED', stage: 'spawner' },
    })
    const shim = new FakeShim(task.dir)
    shim.started()
    shim.ended({ ...plainExit, exitCode: 3 })
    shim.gone()
    const { outcome } = launchFailure(task.dir, new Error('of no matter')) as {
      outcome: { exitCode: number }
    }
    assert.equal(outcome.exitCode, 3)
  })

  it('passes its own errors on, and puts those of the system into words', () => {
    const own = new HoldfastError('LOST', 'gone')
    assert.equal(inWords(own), own)
    const denied = Object.assign(new Error('EACCES: no'), { code: 'EACCES', path: '/x' })
    assert.deepEqual(facts(inWords(denied)), {
      ...{ code: 'PERMISSION', stage: 'request', errno: 'EACCES', path: '/x' },
      hinted: facts(inWords(denied)).hinted,
    })
    const { code, stage, errno } = inputFailure(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))
    assert.deepEqual([code, stage, errno], ['LOST', 'stdin', 'ECONNRESET'])
  })

  it('names ten files that have changed on the host, and how many more', () => {
    const paths = Array.from({ length: 12 }, (_, at) => `f${at}`)
    assert.match(overlayConflict('/w', paths).message, /in \/w .*: f0, .*, f9, and 2 more$/)
    assert.match(overlayConflict('/w', ['a']).message, /: a$/)
  })

  for (const [step, errno, code, words] of [
    ['workspace', 'ESTALE', 'INVALID_STATE', /is another directory/],
    ['workspace', 'EACCES', 'PERMISSION', /cannot be reached: EACCES/],
    ['depth', 'ELOOP', 'INVALID_STATE', /deeper than 200 directories/],
    ['conflict', 'EEXIST', 'INVALID_STATE', /has changed while/],
    ['write', 'ENOSPC', 'INVALID_STATE', /could not be put in place: ENOSPC/],
    ['output', 'EFBIG', 'INVALID_STATE', /more changes than can be told/],
    ['readlink', 'EIO', 'INVALID_STATE', /could not be compared \(readlink: EIO\)/],
  ] as const)
    it(`says where an overlay has failed at ${step} with ${errno}`, () => {
      const error = overlayFailure({ step, errno, path: 'src/a' }, '/w')
      assert.deepEqual([error.code, error.errno, error.path], [code, errno, '/w/src/a'])
      assert.match(error.message, words)
    })
})
