import assert from 'node:assert/strict'
import fc from 'fast-check'
import { assertTaskName } from '../../src/alloc/task-name.ts'
import { HoldfastError } from '../../src/errors.ts'

describe('assertTaskName', () => {
  for (const name of [
    'web',
    'a',
    '-x',
    'with space',
    '.hidden',
    '...',
    'Ünïcode',
    'x'.repeat(128),
    'alloc2',
  ]) {
    it(`takes ${JSON.stringify(name).slice(0, 30)}`, () => assertTaskName(name))
  }

  const refused = [
    '',
    '.',
    '..',
    'alloc',
    '/',
    'a/b',
    '../x',
    'a\0',
    '\n',
    'a\x7f',
    'x'.repeat(129),
    'é'.repeat(65),
    '\ud800',
  ]
  for (const name of [...refused, 7, null, undefined, {}]) {
    it(`refuses ${JSON.stringify(name)?.slice(0, 30)}, naming the field and what it got`, () => {
      assert.throws(() => assertTaskName(name, 'name'), {
        code: 'INVALID_ARGUMENT',
        message: /^name: got .*, takes a name of 1 to 128/,
      })
    })
  }

  it('lets no string through that is not exactly one directory entry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), name => {
        try {
          assertTaskName(name)
        } catch (error) {
          assert.ok(error instanceof HoldfastError)
          return
        }
        assert.ok(!name.includes('/') && !name.includes('\0') && !['', '.', '..'].includes(name))
        assert.ok(Buffer.byteLength(name) <= 128)
        assert.equal(Buffer.from(name).toString(), name)
      }),
    )
  })
})
