import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { fitted, padded, widthOf } from '../../../src/cli/output/width.ts'

const text = fc.string({
  unit: fc.oneof(fc.constantFrom('a', 'ü', 'e\u0301', '名', '한', 'ア', '😀', '👍🏽', '！', '…'), fc.string()),
})

describe('the columns that a line takes', () => {
  for (const [line, columns] of [
    ['', 0],
    ['web-1', 5],
    ['größe', 5],
    ['e\u0301te\u0301', 3],
    ['名前', 4],
    ['한글', 4],
    ['ウェブ', 6],
    ['ＡＢ', 4],
    ['😀', 2],
    ['👍🏽', 2],
    ['→', 1],
    ['▁▅█', 3],
  ] as const)
    it(`${JSON.stringify(line)} takes ${columns}`, () => assert.equal(widthOf(line), columns))

  it('a line that fits stays as it is, and another one is cut to what fits, its end in their place', () => {
    assert.equal(fitted('abcdef', 6), 'abcdef')
    assert.equal(fitted('abcdef', 5), 'abcd…')
    assert.equal(fitted('abcdef', 5, ''), 'abcde')
    assert.equal(fitted('名前名前', 5), '名前…')
    assert.equal(fitted('名前名前', 6), '名前…')
    assert.equal(fitted('a😀b', 2), 'a…')
    assert.equal(fitted('abc', 0), '')
  })

  it('no line is ever wider than it may be, or cut within a character', () => {
    fc.assert(
      fc.property(text, fc.nat(20), fc.constantFrom('…', ''), (line, columns, end) => {
        const cut = fitted(line, columns, end)
        assert.ok(widthOf(cut) <= columns, cut)
        if (cut === line) return
        assert.ok(cut.endsWith(end) || columns === 0)
        const kept = cut.slice(0, cut.length - (columns === 0 ? 0 : end.length))
        assert.ok(line.startsWith(kept))
        assert.equal(Buffer.from(kept).toString(), kept)
      }),
    )
  })

  it('spaces make a line as wide as it is to be', () => {
    assert.deepEqual(
      ['ab', '名', 'abcde'].map(line => padded(line, 4)),
      ['ab  ', '名  ', 'abcde'],
    )
  })
})
