import assert from 'node:assert/strict'
import { constants } from 'node:os'
import fc from 'fast-check'
import { type Failure, type FailureCode, failureFrom, failureOf } from '../../machines/index.ts'
import { HoldfastError } from '../../src/errors.ts'

const { errno: numbers } = constants
const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]))
// The later name of two for one number wins in this map: EWOULDBLOCK for EAGAIN.
const errnoName = (errno: number) => names.get(errno) ?? `errno ${errno}`
const failed = (stage: string, errno: number, detail = ''): Failure =>
  failureOf({ stage, errno, detail }, errnoName)

describe('the failure of a start', () => {
  const codes: readonly (readonly [string, number, FailureCode])[] = [
    ['exec', numbers.ENOENT, 'START_FAILED'],
    ['exec', numbers.EPERM, 'START_FAILED'],
    ['chdir', numbers.EACCES, 'START_FAILED'],
    ['log', numbers.ELOOP, 'START_FAILED'],
    ['request', numbers.EINVAL, 'START_FAILED'],
    ['fork', numbers.EAGAIN, 'START_FAILED'],
    ['record', numbers.ENOSPC, 'START_FAILED'],
    ['stdin', numbers.ENOENT, 'START_FAILED'],
    ['something-new', numbers.EIO, 'START_FAILED'],
    ['cgroup', numbers.EBUSY, 'LIMIT_FAILED'],
    ['limit', numbers.EPERM, 'LIMIT_FAILED'],
    ['namespace', numbers.EPERM, 'ISOLATION_FAILED'],
    ['network', numbers.EINVAL, 'ISOLATION_FAILED'],
    ['mount', numbers.ENOENT, 'ISOLATION_FAILED'],
    ['hostname', numbers.EPERM, 'ISOLATION_FAILED'],
    ['capabilities', numbers.EPERM, 'ISOLATION_FAILED'],
    ['seccomp', numbers.EINVAL, 'ISOLATION_FAILED'],
    ['user', numbers.EPERM, 'PERMISSION'],
    ['user', numbers.EACCES, 'PERMISSION'],
    ['user', numbers.EINVAL, 'START_FAILED'],
  ]
  for (const [stage, errno, code] of codes) {
    it(`is ${code} for ${errnoName(errno)} at ${stage}`, () => {
      const failure = failed(stage, errno)
      assert.equal(failure.code, code)
      assert.equal(failure.stage, stage)
      assert.equal(failure.errno, errno === numbers.EAGAIN ? 'EAGAIN' : errnoName(errno))
    })
  }

  it('says in words what could not be done, to what, and why', () => {
    assert.deepEqual(failed('exec', numbers.ENOENT, '/bin/nope'), {
      code: 'START_FAILED',
      message: 'The program could not be executed: /bin/nope: ENOENT',
      stage: 'exec',
      errno: 'ENOENT',
      path: '/bin/nope',
      hint: 'There is no such program where the task looks for it; if there is, the interpreter named in its #! line or its dynamic loader is missing.',
    })
  })

  it('has no path and no errno where there is none', () => {
    const failure = failed('limit', 0, 'nofile')
    assert.equal(failure.message, 'A limit could not be set: nofile')
    assert.ok(!('errno' in failure) && !('path' in failure) && !('hint' in failure))
  })

  const hinted: readonly (readonly [string, number, RegExp])[] = [
    ['exec', numbers.EACCES, /not executable/],
    ['exec', numbers.ENOEXEC, /#! line/],
    ['exec', numbers.E2BIG, /128 KiB/],
    ['cgroup', numbers.EBUSY, /audit --fix/],
    ['cgroup', numbers.ENOENT, /holdfast doctor/],
    ['fork', numbers.EAGAIN, /pids\.max/],
    ['chdir', numbers.EACCES, /command\.cwd/],
    ['record', numbers.ENOSPC, /--state-dir/],
    ['log', numbers.ELOOP, /symbolic link/],
    ['log', numbers.EMFILE, /open files/],
    ['request', numbers.EINVAL, /npm rebuild/],
  ]
  for (const [stage, errno, hint] of hinted) {
    it(`hints at the mend for ${errnoName(errno)} at ${stage}`, () => {
      assert.match(failed(stage, errno).hint ?? '', hint)
    })
  }

  it('copes with every stage and detail', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.string(), (stage, errno, detail) => {
        const failure = failed(stage, errno, detail)
        assert.ok(failure.message.includes(detail))
        assert.equal(typeof (failure.hint ?? ''), 'string')
      }),
    )
    for (const stage of ['constructor', '__proto__', 'toString'])
      assert.equal(failed(stage, 2).message, `The start failed at stage ${stage}: ENOENT`)
  })
})

describe('the failure an actor was rejected with', () => {
  it('is that of a HoldfastError, without its stack and cause', () => {
    const error = new HoldfastError('PERMISSION', 'no', {
      stage: 'user',
      hint: 'run as root',
      cause: new Error('x'),
    })
    assert.deepEqual(failureFrom(error), {
      code: 'PERMISSION',
      message: 'no',
      stage: 'user',
      hint: 'run as root',
    })
  })

  it('is the one inside { failure }', () => {
    assert.deepEqual(failureFrom({ failure: { code: 'UNSUPPORTED', message: 'no' } }, 'LOST'), {
      code: 'UNSUPPORTED',
      message: 'no',
    })
  })

  it("keeps the errno's name of an error of Node's", () => {
    const error = Object.assign(new Error('open: denied'), { code: 'EACCES', errno: -13, path: '/x' })
    assert.deepEqual(failureFrom(error, 'LOST'), {
      code: 'LOST',
      message: 'open: denied',
      errno: 'EACCES',
      path: '/x',
    })
  })

  it('is plain JSON with a code and a message for anything at all', () => {
    fc.assert(
      fc.property(fc.anything(), error => {
        const failure = failureFrom(error)
        assert.deepEqual(JSON.parse(JSON.stringify(failure)), failure)
        assert.equal(typeof failure.code, 'string')
        assert.notEqual(failure.message, undefined)
      }),
    )
  })
})
