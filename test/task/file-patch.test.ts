import { strict as assert } from 'node:assert'
import type { OverlayContents, OverlaySide } from '../../src/spawn/overlay-contents.ts'
import { patchOf } from '../../src/task/file-patch.ts'

const file = (text: string, more: Partial<OverlaySide> = {}): OverlaySide => {
  const bytes = Buffer.from(text)
  return { type: 'f', mode: 0o644, size: bytes.length, state: 'whole', bytes, ...more }
}
const nothing = file('', { type: '-' })
const link = (target: string) => file(target, { type: 'l' })

function patched(before: OverlaySide, after: OverlaySide, path: string | Buffer = 'src/a') {
  // What it is about is said by both sides; the rest of the entry is for who lists them.
  const entry = { path: Buffer.from(path) } as OverlayContents['entry']
  return patchOf({ entry, before, after })
}
const textOf = (...of: Parameters<typeof patched>) =>
  Buffer.from(patched(...of)?.patch ?? []).toString('latin1')

// git hash-object
const hello = 'ce013625030ba8dba906f756967f9e9ca394464a'
const empty = 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
const none = '0'.repeat(40)

describe('the patch of one entry', () => {
  for (const [what, before, after, lines] of [
    [
      'a new file',
      nothing,
      file('hello\n'),
      [
        'new file mode 100644',
        `index ${none}..${hello}`,
        '--- /dev/null',
        '+++ b/src/a',
        '@@ -0,0 +1,1 @@',
        '+hello',
      ],
    ],
    [
      'a deleted one',
      file('hello\n', { mode: 0o755 }),
      nothing,
      [
        'deleted file mode 100755',
        `index ${hello}..${none}`,
        '--- a/src/a',
        '+++ /dev/null',
        '@@ -1,1 +0,0 @@',
        '-hello',
      ],
    ],
    [
      'an empty one, which has no lines',
      nothing,
      file(''),
      ['new file mode 100644', `index ${none}..${empty}`],
    ],
    [
      'one that may be executed from now on',
      file('hello\n'),
      file('hello\n', { mode: 0o700 }),
      ['old mode 100644', 'new mode 100755'],
    ],
    [
      'one that is changed in both',
      file('', { mode: 0o755 }),
      file('hello\n'),
      [
        'old mode 100755',
        'new mode 100644',
        `index ${empty}..${hello}`,
        '--- a/src/a',
        '+++ b/src/a',
        '@@ -0,0 +1,1 @@',
        '+hello',
      ],
    ],
  ] as const)
    it(`is of ${what}`, () =>
      assert.equal(textOf(before, after), ['diff --git a/src/a b/src/a', ...lines, ''].join('\n')))

  it('deletes and makes what has become a link', () => {
    const text = textOf(file('hello\n'), link('hello'))
    assert.match(text, /^deleted file mode 100644\n[^]*^new file mode 120000\n[^]*^\+hello\n\\ No newline/m)
    assert.equal(text.match(/^diff --git /gm)?.length, 2)
  })

  it('has the mode beside the blobs where that stays', () =>
    assert.match(textOf(file(''), file('hello\n')), /^index \w+\.\.\w+ 100644$/m))

  for (const [what, before, after, omitted] of [
    ['only of more permissions', file('a'), file('a', { mode: 0o600 }), 'mode'],
    ['of bytes that are no text', file('a'), file('a\0'), 'binary'],
    ['too large', nothing, file('', { state: 'large' }), 'large'],
    ['not to be read', file('', { state: 'unreadable' }), nothing, 'unreadable'],
    ['of a device', nothing, file('', { type: 'o' }), 'special'],
  ] as const)
    it(`is left out where the change is ${what}`, () =>
      assert.deepEqual(patched(before, after), { patch: null, omitted }))

  it('is nothing of a directory', () => {
    const directory = file('', { type: 'd' })
    assert.equal(patched(nothing, directory), null)
    assert.equal(patched(directory, nothing), null)
  })

  it('quotes a name as Git does, and lets no byte of it through to a terminal', () => {
    const name = Buffer.from('a "\\\t\n\x1b\xe9', 'latin1')
    assert.ok(
      textOf(nothing, file(''), name).startsWith(
        String.raw`diff --git "a/a \"\\\t\n\033\351" "b/a \"\\\t\n\033\351"`,
      ),
    )
  })
})
