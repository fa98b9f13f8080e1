import { strict as assert } from 'node:assert'
import { applyPatch } from 'diff'
import fc from 'fast-check'
import { replacement } from '../../src/task/replacement.ts'

const hunk = (before: string, after: string) =>
  replacement(Buffer.from(before), Buffer.from(after)).toString()

describe('a file shown as replaced', () => {
  it('has one hunk, with three lines that are the same around it', () => {
    assert.equal(hunk('1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nfive\n6\n7\n8\n9\n').split('\n').length, 10)
    assert.match(
      hunk('1\n2\n3\n4\n5\n', '1\n2\n3\n4\nfive\n'),
      /^@@ -2,4 \+2,4 @@\n 2\n 3\n 4\n-5\n\+five\n$/,
    )
  })

  it('says of a last line that it has no end', () => {
    assert.equal(hunk('', 'a'), '@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n')
    assert.equal(hunk('a\n', 'a'), '@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file\n')
  })

  it('leads from any file to any other, whatever lines they have', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '\n'), { maxLength: 24 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after)
        assert.equal(applyPatch(before, `--- a\n+++ b\n${hunk(before, after)}`), after)
      }),
    )
  })
})
