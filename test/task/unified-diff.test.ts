import { strict as assert } from 'node:assert'
import { applyPatch } from 'diff'
import fc from 'fast-check'
import { unifiedDiff } from '../../src/task/unified-diff.ts'

/** Few different lines, so that they come again; some without an end, some that look like a patch's own. */
const line = fc.constantFrom(
  'a\n',
  'b\n',
  '\n',
  'a',
  '\r\n',
  '-- a\n',
  '@@ -1 +1 @@\n',
  '\\ No\n',
  '\xe9\x02\n',
)
const file = fc.array(line, { maxLength: 30 }).map(lines => Buffer.from(lines.join(''), 'latin1'))

describe('a unified diff', () => {
  for (const [how, mostLines] of [
    ['compared line by line', 1000],
    ['replaced as a whole', 0],
  ] as const)
    it(`leads from one to the other, byte for byte, ${how}`, () =>
      fc.assert(
        fc.property(file, file, (before, after) => {
          const hunks = unifiedDiff(before, after, mostLines).toString('latin1')
          if (before.equals(after)) return assert.equal(hunks, '')
          const applied = applyPatch(before.toString('latin1'), `--- a\n+++ b\n${hunks}`, {
            autoConvertLineEndings: false,
          })
          assert.ok(applied !== false, hunks)
          assert.deepEqual(Buffer.from(applied, 'latin1'), after)
        }),
        { numRuns: 500 },
      ))

  it('shows nothing as changed that is the same at the beginning and at the end', () => {
    const [before, after] = ['1\n2\n3\n4\n5\nold\n6\n7\n8\n9', '1\n2\n3\n4\n5\nnew\nmore\n6\n7\n8\n9']
    const wanted = '@@ -3,7 +3,8 @@\n 3\n 4\n 5\n-old\n+new\n+more\n 6\n 7\n 8\n'
    for (const mostLines of [0, 1000])
      assert.equal(unifiedDiff(Buffer.from(before), Buffer.from(after), mostLines).toString(), wanted)
  })
})
