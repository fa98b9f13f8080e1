import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { escaped, json } from '../../../src/cli/output/escape.ts'

const hostile = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const text = fc.string({
  unit: fc.oneof(fc.constantFrom('\x1b', '\x9b', '\u202e', '\u2028', '\ud800', 'a', '"', '\\'), fc.string()),
})

describe('escaped', () => {
  it('leaves nothing that a terminal would obey, and says what it was', () => {
    assert.equal(escaped('\x1b]0;owned\x07'), '\\x1b]0;owned\\x07')
    assert.equal(escaped('abc\u202etxt'), 'abc\\u{202e}txt')
    fc.assert(fc.property(text, value => assert.doesNotMatch(escaped(value), hostile)))
  })

  it('leaves ordinary text of any script alone', () => {
    for (const ordinary of ['web-1', 'größe', '名前', 'tab-less text', '😀'])
      assert.equal(escaped(ordinary), ordinary)
  })
})

describe('json', () => {
  it('is the same document to a parser, and harmless to a terminal', () => {
    fc.assert(
      fc.property(text, value => {
        const document = json({ value, list: [value] })
        assert.deepEqual(JSON.parse(document), { value, list: [value] })
        assert.doesNotMatch(document.replaceAll('\n', ''), hostile)
      }),
    )
  })
})
