import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  defaulted,
  finite,
  flag,
  integer,
  listOf,
  nullable,
  object,
  oneOf,
  optional,
  text,
  type ValueOf,
} from '../../machines/shape.ts'

const shape = object(
  {
    name: text,
    size: integer(1, 9),
    kind: oneOf('a', 'b'),
    parts: listOf(object({ at: finite })),
    parent: nullable(text),
    isNew: defaulted(flag, false),
    note: optional(text),
  },
  ({ name, parent }) => (name === parent ? 'it is its own parent' : null),
)
const good: ValueOf<typeof shape> = {
  name: 'x',
  size: 3,
  kind: 'b',
  parts: [{ at: 0.5 }],
  parent: null,
  isNew: true,
}

describe('the shape of a record', () => {
  it('takes what is of its type, and gives it back', () => {
    assert.equal(shape.fault(good), null)
    assert.deepEqual(shape.known(good), good)
    assert.equal(shape.fault({ ...good, note: 'y' }), null)
    assert.deepEqual(shape.known({ ...good, note: 'y' }), { ...good, note: 'y' })
  })

  it('leaves out what it does not know, and puts in what earlier versions did not write', () => {
    const { isNew: _, ...earlier } = good
    assert.equal(shape.fault({ ...earlier, later: 1 }), null)
    assert.deepEqual(shape.known({ ...earlier, later: 1 }), { ...good, isNew: false })
  })

  for (const [change, fault] of [
    [{ name: 7 }, 'name: takes a text, got 7'],
    [{ size: 10 }, 'size: takes an integer from 1 to 9, got 10'],
    [{ size: 1.5 }, 'size: takes an integer from 1 to 9, got 1.5'],
    [{ kind: 'c' }, 'kind: takes "a" or "b", got "c"'],
    [{ kind: undefined }, 'kind: takes "a" or "b", got nothing'],
    [{ parts: {} }, 'parts: takes a list, got an object'],
    [{ parts: [{ at: 1 }, { at: null }] }, 'parts.1.at: takes a number, got null'],
    [{ parts: [3] }, 'parts.0: takes an object, got 3'],
    [{ parent: [] }, 'parent: takes a text, got a list'],
    [{ note: null }, 'note: takes a text, got null'],
    [{ isNew: 'no' }, 'isNew: takes true or false, got "no"'],
    [{ parent: 'x' }, 'it is its own parent'],
  ] as const) {
    it(`names the field, what it takes and what it got: ${fault}`, () => {
      assert.equal(shape.fault({ ...good, ...change }), fault)
    })
  }

  it('says something short of whatever else it is given, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), value => {
        const fault = shape.fault(value)
        assert.ok(fault !== null && fault.length < 200)
      }),
    )
  })
})
