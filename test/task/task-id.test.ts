import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatTaskId, isTaskKey, newTaskKey, parseTaskId } from '../../src/task/task-id.ts'

describe('task keys and ids', () => {
  it('makes keys that are fit for directories, cgroups and host names, and sort by age', () => {
    const keys = Array.from({ length: 1000 }, (_, index) => newTaskKey(1_700_000_000_000 + index))
    assert.ok(keys.every(isTaskKey))
    assert.deepEqual([...keys].sort(), keys)
  })

  it('makes no key twice, not even in the same millisecond', () => {
    const keys = Array.from({ length: 1000 }, () => newTaskKey(1_700_000_000_000))
    assert.equal(new Set(keys).size, keys.length)
  })

  it('gives back what an id was made of, whatever the state directory is called', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).map(text => `/${text.replaceAll('\0', '')}`),
        stateDir => {
          const key = newTaskKey()
          assert.deepEqual(parseTaskId(formatTaskId(stateDir, key)), { stateDir, key })
        },
      ),
    )
  })

  for (const id of [
    '',
    'x',
    'holdfast:1:../../etc:/var',
    'holdfast:2:mwtizzz1tf6pas:/var',
    'holdfast:1:mwtizzz1tf6pas:relative',
    null,
    7,
    {},
  ]) {
    it(`refuses ${JSON.stringify(id)} as an id, saying what it got`, () => {
      assert.throws(() => parseTaskId(id), { code: 'INVALID_ARGUMENT', message: /^id: got .*takes/ })
    })
  }
})
