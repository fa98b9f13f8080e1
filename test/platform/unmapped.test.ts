import assert from 'node:assert/strict'
import { mappedGroups, unmapped } from '../../src/platform/unmapped.ts'

const maps = {
  users: [{ first: 0, count: 1000 }],
  groups: [
    { first: 0, count: 10 },
    { first: 65_534, count: 1 },
  ],
  setsGroups: true,
  isMade: true,
}

describe('who has no number in a user namespace', () => {
  it('is named, with those who have', () => {
    assert.equal(unmapped({ uid: 999, gid: 65_534 }, maps), null)
    assert.match(unmapped({ uid: 1000, gid: 9 }, maps)?.reason ?? '', /has no user 1000 \(it has 0-999\)$/)
    assert.match(unmapped({ uid: 1, gid: 10 }, maps)?.reason ?? '', /has no group 10 \(it has 0-9, 65534\)$/)
  })

  it('is left out of the supplementary groups, and a row says so', () => {
    const resolved = (...groups: number[]) => ({
      credentials: { uid: 1, gid: 1, groups },
      name: 'daemon',
      groupsUnknown: false,
    })
    const { credentials, rows } = mappedGroups(resolved(4, 27, 100), maps)
    assert.deepEqual(credentials, { uid: 1, gid: 1, groups: [4] })
    assert.deepEqual(
      rows.map(({ name, status, requested }) => [name, status, requested]),
      [['groups', 'weakened', 'those of daemon']],
    )
    assert.match(rows[0]?.reason ?? '', /has no group 27, 100: the task goes without/)
    assert.deepEqual(mappedGroups(resolved(4), maps).rows, [])
  })
})
