import assert from 'node:assert/strict'
import { isItsAlone, shareAlloc } from '../../../src/platform/linux/shared-alloc.ts'
import { rootAccess as access } from '../../support/root-access.ts'

const mapping = () => Promise.resolve({ all: true })
const refusing = () => Promise.resolve({ reason: 'nfs does not', hint: 'ext4' })
const number = { uid: 1_879_048_200, gid: 1_879_048_200, groups: [] }
const dir = '/state/tasks/k'
const allocAt = (root: string) => ({
  root,
  shared: `${root}/alloc`,
  task: `${root}/t`,
  local: `${root}/t/local`,
})
const asked = (root: string, user: string | undefined) => ({
  alloc: allocAt(root),
  key: 'k',
  command: { path: 'x', args: [], env: {}, ...(user !== undefined && { user }) },
})

describe('an allocation that tasks with users of their own share', () => {
  it('is nobody’s on the host and the task’s inside', async () => {
    const { map, rows } = await shareAlloc(
      asked('/srv/a', 'own'),
      dir,
      { credentials: number },
      { access, tryMap: mapping },
    )
    assert.deepEqual([map?.owner.uid, map?.user.uid], [65_534, number.uid])
    assert.deepEqual(
      rows.map(({ name, status }) => [name, status]),
      [['alloc', 'enforced']],
    )
  })

  it('that cannot be mapped has a row that says what the tasks may do there', async () => {
    const { map, rows } = await shareAlloc(
      asked('/srv/a', 'own'),
      dir,
      { credentials: number },
      { access, tryMap: refusing },
    )
    assert.equal(map, null)
    assert.match(rows[0]?.reason ?? '', /^nfs does not: of what other tasks .* change nothing$/)
    assert.deepEqual(
      [rows[0]?.status, rows[0]?.hint],
      ['weakened', 'ext4; or umask: 0 in the tasks that share files'],
    )
  })

  for (const [what, root, user] of [
    ['a task whose allocation is its alone', '/state/allocs/k', 'own'],
    ['a task of nobody', '/srv/a', undefined],
    ['a task of an account', '/srv/a', 'daemon'],
  ] as const)
    it(`is none of ${what}: no map and no row`, async () => {
      const found = await shareAlloc(
        asked(root, user),
        dir,
        { credentials: number },
        { access, tryMap: mapping },
      )
      assert.deepEqual(found, { map: null, rows: [] })
    })

  it('is told from the one that the supervisor has made by its path', () => {
    assert.equal(isItsAlone(allocAt('/state/allocs/k'), 'k', dir), true)
    assert.equal(isItsAlone(allocAt('/state/allocs/other'), 'k', dir), false)
  })
})
