import assert from 'node:assert/strict'
import type { Command } from '../../../src/index.ts'
import { ownershipOf } from '../../../src/platform/linux/workspace-owner.ts'
import { rootAccess as access } from '../../support/root-access.ts'

const mapping = () => Promise.resolve({ all: true })
const refusing = () => Promise.resolve({ reason: 'nfs does not', hint: 'ext4' })
const command: Command = { path: 'x', args: [], env: {} }
const place = (uid: number) => ({
  path: '/w',
  real: '/w',
  readOnly: false,
  overlay: false,
  owner: { uid, gid: uid },
})
const nobody = { credentials: { uid: 65_534, gid: 65_534, groups: [] } }

describe('how the files of a workspace come to be the task’s', () => {
  it('they are where the directory is the task’s user’s, whatever can be mapped', async () => {
    assert.deepEqual(await ownershipOf(place(65_534), command, nobody, { access, tryMap: refusing }), {
      way: 'own',
    })
    const own = { ...access, self: { uid: 7, gid: 7, groups: [] }, right: 'user-namespace' } as const
    assert.deepEqual(await ownershipOf(place(7), command, { credentials: null }, { access: own }), {
      way: 'own',
    })
  })

  for (const owner of [0, 1000])
    it(`they are mapped where that can be done (owner ${owner})`, async () => {
      const { way } = await ownershipOf(place(owner), command, nobody, { access, tryMap: mapping })
      assert.equal(way, 'mapped')
    })

  it('else the task runs as the owner, without his other groups', async () => {
    const ownership = await ownershipOf(place(1000), command, nobody, { access, tryMap: refusing })
    assert.ok(ownership.way === 'as-owner')
    assert.deepEqual(ownership.user.credentials, { uid: 1000, gid: 1000, groups: [] })
    assert.match(ownership.why.reason, /nfs/)
  })

  for (const [what, owner, changed, asked] of [
    ['never as root', 0, {}, {}],
    ['not with root’s group', 1000, { gid: 0 }, {}],
    ['not where another user was asked for', 1000, {}, { user: 'nobody' }],
    ['not where another group was asked for', 1000, {}, { group: 'nogroup' }],
  ] as const)
    it(`${what}: they stay another's`, async () => {
      const { owner: found, ...rest } = place(owner)
      const there = { ...rest, owner: { ...found, ...changed } }
      const { way } = await ownershipOf(there, { ...command, ...asked }, nobody, { access, tryMap: refusing })
      assert.equal(way, 'foreign')
    })

  it('not as a user who has no number here, nor where nobody can become another', async () => {
    const few = [{ first: 0, count: 1000 }]
    const without = {
      ...access,
      right: 'user-namespace',
      maps: { users: few, groups: few, setsGroups: true, isMade: false },
    } as const
    const bound = { ...access, right: 'user-namespace', ownUserOnly: { reason: 'so', hint: null } } as const
    for (const there of [without, bound])
      assert.equal((await ownershipOf(place(1000), command, nobody, { access: there })).way, 'foreign')
  })

  it('nothing is mapped by anybody but the host’s root', async () => {
    const inside = { ...access, right: 'user-namespace' } as const
    const { way } = await ownershipOf(place(0), command, nobody, { access: inside, tryMap: mapping })
    assert.equal(way, 'foreign')
  })
})
