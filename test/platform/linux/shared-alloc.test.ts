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
    const { files, rows } = await shareAlloc(
      asked('/srv/a', 'own'),
      dir,
      { credentials: number },
      { access, tryMap: mapping },
    )
    assert.deepEqual([files?.map.owner.uid, files?.map.user.uid], [65_534, number.uid])
    assert.deepEqual(
      rows.map(({ name, status }) => [name, status]),
      [['alloc', 'enforced']],
    )
  })

  it('is mapped where it is mounted from, too: not what lies outside, nor what cannot be', async () => {
    const mounts = ['/srv/a/t/tmp', '/srv/a/t/secrets', '/srv/ab', '/srv/a/../b'].map(source => {
      return { source, target: source }
    })
    const { alloc, key, command } = asked('/srv/a', 'own')
    const { files } = await shareAlloc(
      { alloc, key, command: { ...command, mounts } },
      dir,
      { credentials: number },
      { access, tryMap: path => (path.endsWith('secrets') ? refusing() : mapping()) },
    )
    assert.deepEqual([...(files?.sources ?? [])], ['/srv/a/t/tmp'])
  })

  it('that cannot be mapped has a row that says what the tasks may do there', async () => {
    const { files, rows } = await shareAlloc(
      asked('/srv/a', 'own'),
      dir,
      { credentials: number },
      { access, tryMap: refusing },
    )
    assert.equal(files, null)
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
      assert.deepEqual(found, { files: null, rows: [] })
    })

  it('is told from the one that the supervisor has made by its path', () => {
    assert.equal(isItsAlone(allocAt('/state/allocs/k'), 'k', dir), true)
    assert.equal(isItsAlone(allocAt('/state/allocs/other'), 'k', dir), false)
  })
})
