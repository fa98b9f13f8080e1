import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { parseSize } from '../../../src/cli/parse/size.ts'

const units = { '': 1, K: 1024, k: 1024, M: 1024 ** 2, m: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

describe('parseSize', () => {
  it('takes whole numbers of every binary unit, and bytes', () => {
    fc.assert(
      fc.property(fc.nat(8000), fc.constantFrom(...Object.entries(units)), (number, [unit, factor]) => {
        assert.equal(parseSize('--memory', `${number}${unit}`), number * factor)
      }),
    )
  })

  it('takes fractions that are whole bytes', () => {
    assert.equal(parseSize('--memory', '1.5G'), 1.5 * 1024 ** 3)
    assert.equal(parseSize('--memory', '0.5K'), 512)
    assert.throws(() => parseSize('--memory', '1.5'), { code: 'INVALID_ARGUMENT' })
    assert.throws(() => parseSize('--memory', '0.3K'), { code: 'INVALID_ARGUMENT' })
  })

  it('gives bytes that are a safe integer, or an error that names flag, value and form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,20}[KMGTP]?$/)), text => {
        try {
          const bytes = parseSize('--memory', text)
          assert.ok(Number.isSafeInteger(bytes) && bytes >= 0)
          assert.match(text, /^\d+(\.\d+)?[KMGT]?$/i)
        } catch (error) {
          const { code, message } = error as { code: string; message: string }
          assert.equal(code, 'INVALID_ARGUMENT')
          assert.match(message, /^--memory: got ".*", takes a size such as /s)
        }
      }),
    )
  })

  for (const text of [
    '',
    'M',
    '-1M',
    '64MB',
    '64MiB',
    '64 M',
    ' 64M',
    '1e6',
    '0x10',
    '1P',
    '9'.repeat(16) + 'T',
    '64M\n',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSize('--memory', text), {
        code: 'INVALID_ARGUMENT',
        message: `--memory: got ${JSON.stringify(text)}, takes a size such as 64M, 1G, 512K or whole bytes`,
      })
    })
  }
})
