import { strict as assert } from 'node:assert'
import type { Enforcement } from '../../src/api.ts'
import { sharedRows } from '../../src/task/shared-rows.ts'

const row = (name: string, reason: string): Enforcement => ({
  name,
  kind: 'limit',
  requested: '1',
  status: 'skipped',
  reason,
  hint: null,
  chosen: false,
})

describe('rows that are read of many tasks', () => {
  it('are one object where all of them is the same, and stay apart where anything differs', () => {
    const [first] = sharedRows([row('nice', 'not here')])
    const [same, other] = sharedRows([row('nice', 'not here'), row('nice', 'not there')])
    assert.equal(same, first)
    assert.deepEqual(other, row('nice', 'not there'))
  })

  it('are what they were when each of thousands is another', () => {
    const many = Array.from({ length: 3000 }, (_, index) => row('nice', String(index)))
    assert.deepEqual(sharedRows(many), many)
    assert.deepEqual(sharedRows([...many].reverse()), [...many].reverse())
  })
})
