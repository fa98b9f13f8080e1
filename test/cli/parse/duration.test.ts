import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { parseDuration } from '../../../src/cli/parse/duration.ts'

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

describe('parseDuration', () => {
  it('takes whole numbers of every unit', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(...Object.entries(units)), (number, [unit, factor]) => {
        assert.equal(parseDuration('--grace', `${number}${unit}`), number * factor)
      }),
    )
  })

  it('takes fractions, rounded to the millisecond', () => {
    assert.equal(parseDuration('--grace', '1.5s'), 1500)
    assert.equal(parseDuration('--grace', '0.25m'), 15_000)
    assert.equal(parseDuration('--grace', '0.4ms'), 0)
  })

  it('gives milliseconds that are a safe integer, or an error that names flag, value and form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,20}(ms|s|m|h|d)?$/)), text => {
        try {
          const milliseconds = parseDuration('--grace', text)
          assert.ok(Number.isSafeInteger(milliseconds) && milliseconds >= 0)
          assert.match(text, /^\d+(\.\d+)?(ms|s|m|h)$/)
        } catch (error) {
          assertRefusal(error)
        }
      }),
    )
  })

  for (const text of [
    '',
    '5',
    's',
    '-1s',
    '1e3s',
    ' 5s',
    '5 s',
    '5S',
    '5d',
    '1.s',
    '.5s',
    '5s\n',
    '9'.repeat(15) + 'h',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseDuration('--grace', text), {
        code: 'INVALID_ARGUMENT',
        message: `--grace: got ${JSON.stringify(text)}, takes a time such as 500ms, 5s, 2m or 1h`,
      })
    })
  }
})

function assertRefusal(error: unknown): void {
  const { code, message } = error as { code: string; message: string }
  assert.equal(code, 'INVALID_ARGUMENT')
  assert.match(message, /^--grace: got ".*", takes a time such as /s)
}
