import { strict as assert } from 'node:assert'
import { constants } from 'node:os'
import { graceMilliseconds, signalNumber } from '../../src/task/signals.ts'

describe('a signal by name', () => {
  it('is its number here, with those of real time', () => {
    assert.equal(signalNumber('SIGTERM'), constants.signals.SIGTERM)
    assert.equal(signalNumber('SIGKILL'), 9)
  })

  for (const bad of ['SIGNOPE', 'sigterm', '', 15, null, undefined, {}, Symbol.iterator])
    it(`is not ${String(bad)}, and the field is named`, () =>
      assert.throws(() => signalNumber(bad, 'stopSignal'), {
        code: 'INVALID_ARGUMENT',
        message: /^stopSignal: got/,
      }))
})

describe('a grace', () => {
  it('is milliseconds, and never shorter than asked for', () => {
    assert.equal(graceMilliseconds(0), 0)
    assert.equal(graceMilliseconds(0.1), 1)
    assert.equal(graceMilliseconds(5000), 5000)
  })

  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, undefined])
    it(`is not ${String(bad)}`, () =>
      assert.throws(() => graceMilliseconds(bad), { code: 'INVALID_ARGUMENT', message: /^graceMs: got/ }))
})
