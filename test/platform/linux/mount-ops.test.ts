import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bound, inside } from '../../../src/platform/linux/mount-ops.ts'

describe('a place in the new root', () => {
  for (const [path, at] of [
    ['/data', '/data'],
    ['data/', '/data'],
    ['/a//b/./c/', '/a/b/c'],
    ['/a/../b', '/b'],
    ['../../etc', '/etc'],
  ] as const)
    it(`of ${path} is ${at}`, () => assert.equal(inside(path), at))

  for (const path of ['', '/', '.', '..', '/a/..', '/a\0b'])
    it(`is none for ${JSON.stringify(path)}`, () =>
      assert.throws(() => inside(path), { code: 'INVALID_ARGUMENT', path }))

  it('is never outside the root, whatever is asked for', () => {
    const part = fc.constantFrom('..', '.', '', 'a', '...', ' ', 'b')
    fc.assert(
      fc.property(fc.array(part), parts => {
        let at: string
        try {
          at = inside(parts.join('/'))
        } catch {
          return
        }
        assert.match(at, /^(?:\/[^/]+)+$/)
        assert.ok(!at.split('/').includes('..'))
      }),
    )
  })
})

describe('the source of a mount', () => {
  it('beneath a base is spelt as its base is; any other is taken as it stands', () => {
    assert.equal(sourceOf('/alloc/x/../y', '/alloc'), '/alloc/y')
    assert.equal(sourceOf('/srv/x/../y', null), '/srv/x/../y')
  })
  const sourceOf = (source: string, base: string | null) => {
    const op = bound(source, '/at', true, base)
    return op.op === 'bind' ? op.source : assert.fail(op.op)
  }
})
