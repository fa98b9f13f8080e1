import { strict as assert } from 'node:assert'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { parseEnvironment } from '../../../src/cli/parse/environment.ts'
import { namingFlags } from '../../../src/cli/flags/naming.ts'
import { parseMount, parseTmpfs } from '../../../src/cli/parse/mount.ts'
import { parseCount, parseNumber } from '../../../src/cli/parse/number.ts'
import { parseSignal } from '../../../src/cli/parse/signal.ts'
import { HoldfastError } from '../../../src/index.ts'

describe('the words of flags', () => {
  it('numbers are plain decimals', () => {
    assert.equal(parseNumber('--cpus', '0.5'), 0.5)
    assert.equal(parseCount('--pids', '64'), 64)
    for (const text of ['', '-1', '1e3', 'NaN', 'Infinity', '0x1', ' 1', '1,5']) {
      assert.throws(() => parseNumber('--cpus', text), { code: 'INVALID_ARGUMENT', message: /^--cpus: got / })
    }
    assert.throws(() => parseCount('--pids', '1.5'), { message: /^--pids: got "1.5", takes a whole number/ })
  })

  it('signals are names with or without SIG, in any case, or numbers', () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      assert.equal(parseSignal('--signal', name), name)
      assert.equal(parseSignal('--signal', name.slice(3).toLowerCase()), name)
      assert.equal(constants.signals[parseSignal('--signal', String(number))], number)
    }
    for (const text of ['', 'SIG', 'NOPE', '0', '99', '-9', '09']) {
      assert.throws(() => parseSignal('--signal', text), {
        code: 'INVALID_ARGUMENT',
        message: /^--signal: got /,
      })
    }
  })

  it('variables keep their value byte for byte, whatever it holds', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/), fc.string(), (name, value) => {
        assert.equal(parseEnvironment([`${name}=${value}`])[name], value)
      }),
    )
  })

  it('a variable without a value takes the one it has here, and no error shows a value', () => {
    assert.deepEqual(parseEnvironment(['TOKEN'], { TOKEN: 's3cret' }), { TOKEN: 's3cret' })
    assert.throws(() => parseEnvironment(['TOKEN'], {}), {
      code: 'INVALID_ARGUMENT',
      message: /"TOKEN" is not set here/,
    })
    assert.throws(
      () => parseEnvironment(['=s3cret']),
      (error: HoldfastError) => error.code === 'INVALID_ARGUMENT' && !error.message.includes('s3cret'),
    )
  })

  it('mounts have a source, a target and perhaps ro', () => {
    assert.deepEqual(parseMount('/srv:/www:ro'), { source: '/srv', target: '/www', readOnly: true })
    assert.deepEqual(parseMount('data:/data'), { source: resolve('data'), target: '/data', readOnly: false })
    assert.deepEqual(parseMount('/srv'), { source: '/srv', target: '/srv', readOnly: false })
    assert.deepEqual(parseMount('data:ro'), {
      source: resolve('data'),
      target: resolve('data'),
      readOnly: true,
    })
    for (const text of ['', ':/www', ':ro', '/srv:www', '/srv:/www:rx', '/srv:/www:ro:ro']) {
      assert.throws(() => parseMount(text), { code: 'INVALID_ARGUMENT', message: /^--mount: got / })
    }
    assert.deepEqual(parseTmpfs('/scratch:16M'), { target: '/scratch', sizeBytes: 16 * 1024 ** 2 })
    assert.deepEqual(parseTmpfs('/scratch'), { target: '/scratch' })
    for (const text of ['', 'scratch', '/scratch:', '/scratch:16X']) {
      assert.throws(() => parseTmpfs(text), { code: 'INVALID_ARGUMENT', message: /^--tmpfs: got / })
    }
  })

  it("what the library refuses is told by the flag's name, and other errors as they are", async () => {
    const refusing = (message: string) =>
      namingFlags(() => Promise.reject(new HoldfastError('INVALID_ARGUMENT', message, { hint: 'smaller' })))
    await assert.rejects(refusing('resources.cpuLimit: got 0, takes more'), {
      message: '--cpus: got 0, takes more',
      hint: 'smaller',
    })
    await assert.rejects(refusing('task names[0]: got "/", takes a name'), {
      message: '--name: got "/", takes a name',
    })
    await assert.rejects(refusing('something else: got 0'), { message: 'something else: got 0' })
    await assert.rejects(
      namingFlags(() => Promise.reject(new HoldfastError('LOST', 'resources.cpuLimit: is no refusal'))),
      { code: 'LOST', message: 'resources.cpuLimit: is no refusal' },
    )
  })
})
