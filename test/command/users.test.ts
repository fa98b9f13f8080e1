import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAccounts } from '../../src/command/accounts.ts'
import { type AccountSources, resolveUser } from '../../src/command/users.ts'

const passwd = `root:x:0:0:root:/root:/bin/sh
# a comment
broken line
bad:x:minus:1::/:
huge:x:4294967295:1::/:
alice:x:1000:1000:Alice:/home/alice:/bin/sh
42:x:77:77::/:/bin/sh
nobody:x:65534:65534:nobody:/:/usr/sbin/nologin
`
const group = `root:x:0:
wheel:x:10:alice,bob
alice:x:1000:alice
audio:x:29:bob,alice
video:x:44:bob
nogroup:x:65534:
shared:x:50:nobody
`

describe('resolveUser', () => {
  let directory: string
  let sources: AccountSources
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-users-'))
    sources = { passwd: join(directory, 'passwd'), group: join(directory, 'group'), getent: null }
    writeFileSync(sources.passwd, passwd)
    writeFileSync(sources.group, group)
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const cases: [string | number | undefined, string | number | undefined, [number, number, number[]]][] = [
    ['alice', undefined, [1000, 1000, [10, 29]]],
    ['alice', 'video', [1000, 44, [10, 1000, 29]]],
    ['alice', 'wheel', [1000, 10, [1000, 29]]],
    [1000, undefined, [1000, 1000, [10, 29]]],
    ['1000', undefined, [1000, 1000, [10, 29]]],
    ['root', undefined, [0, 0, []]],
    [undefined, undefined, [65534, 65534, []]],
    ['nobody', undefined, [65534, 65534, []]],
    [undefined, 'audio', [65534, 29, []]],
    [4242, undefined, [4242, 4242, []]],
    ['4242', 7, [4242, 7, []]],
    [4242, '7', [4242, 7, []]],
    [4294967294, undefined, [4294967294, 4294967294, []]],
    // A string of digits is an id, whatever account bears it as a name.
    ['42', undefined, [42, 42, []]],
  ]
  for (const [user, inGroup, [uid, gid, groups]] of cases) {
    it(`makes uid ${uid}, gid ${gid}, groups [${groups.join()}] of ${JSON.stringify(user)} and ${JSON.stringify(inGroup)}`, async () => {
      assert.deepEqual((await resolveUser(user, inGroup, sources)).credentials, { uid, gid, groups })
    })
  }

  for (const user of ['mallory', '', '-h', 'bad', 'huge', '# a comment', '4294967295', -1, 1.5]) {
    it(`refuses the user ${JSON.stringify(user)} by name`, async () => {
      await assert.rejects(resolveUser(user, undefined, sources), {
        code: 'START_FAILED',
        stage: 'user',
        message: `cannot start: there is no user ${JSON.stringify(user)}`,
        hint: /useradd/,
      })
    })
  }

  it('refuses an unknown group by name', async () => {
    await assert.rejects(resolveUser('alice', 'nogrp', sources), {
      code: 'START_FAILED',
      stage: 'user',
      message: 'cannot start: there is no group "nogrp"',
      hint: /groupadd/,
    })
  })

  it('sees a changed file, and parses an unchanged one once', async () => {
    const first = readAccounts(sources.passwd)
    assert.equal(readAccounts(sources.passwd), first)
    writeFileSync(sources.passwd, `${passwd}bob:x:1001:1001::/:/bin/sh\n`)
    assert.deepEqual((await resolveUser('bob', undefined, sources)).credentials, {
      uid: 1001,
      gid: 1001,
      groups: [10, 29, 44],
    })
  })

  it('refuses names when there are no files at all', async () => {
    rmSync(sources.passwd)
    await assert.rejects(resolveUser('alice', undefined, sources), { code: 'START_FAILED', stage: 'user' })
    assert.deepEqual((await resolveUser(5, undefined, sources)).credentials, { uid: 5, gid: 5, groups: [] })
  })

  describe('with a getent program', () => {
    beforeEach(() => {
      const getent = join(directory, 'getent')
      writeFileSync(
        getent,
        `#!/bin/sh
case "$1 $2" in
  "passwd ldap") echo "ldap:*:5000:5001:LDAP:/:/bin/sh" ;;
  "passwd odd") echo "nonsense" ;;
  "group team") echo "team:*:6000:ldap" ;;
  "initgroups ldap") echo "ldap   6000 5001 7000" ;;
  "initgroups alice") echo "alice   10 29 8000" ;;
  *) exit 2 ;;
esac
`,
      )
      chmodSync(getent, 0o755)
      sources = { ...sources, getent }
    })

    it('asks it for what the files do not list', async () => {
      assert.deepEqual((await resolveUser('ldap', 'team', sources)).credentials, {
        uid: 5000,
        gid: 6000,
        groups: [],
      })
      assert.deepEqual((await resolveUser('ldap', undefined, sources)).credentials, {
        uid: 5000,
        gid: 5001,
        groups: [],
      })
    })

    for (const services of [
      'group: files sss',
      'group: files\ninitgroups: files [NOTFOUND=continue] ldap # all',
    ])
      it(`takes the groups of a directory service, for accounts of the files too: ${services}`, async () => {
        const nsswitch = join(directory, 'nsswitch.conf')
        writeFileSync(nsswitch, `passwd: files\n${services}\n`)
        const groups = async (user: string) => {
          const { credentials, groupsUnknown } = await resolveUser(user, undefined, { ...sources, nsswitch })
          return [credentials.groups, groupsUnknown]
        }
        assert.deepEqual(await groups('ldap'), [[6000, 7000], false])
        assert.deepEqual(await groups('alice'), [[10, 29, 8000], false])
        assert.deepEqual(await groups('nobody'), [[], false])
        // It has no answer for root: the groups of the file, and a word of it.
        assert.deepEqual(await groups('root'), [[], true])
      })

    it('asks nobody for groups where the files are all there is', async () => {
      const nsswitch = join(directory, 'nsswitch.conf')
      writeFileSync(nsswitch, 'group: files compat\n')
      const { credentials, groupsUnknown } = await resolveUser('alice', undefined, { ...sources, nsswitch })
      assert.deepEqual([credentials.groups, groupsUnknown], [[10, 29], false])
    })

    it('calls a user by its account, and by its number where it has none', async () => {
      const names = ['ldap', 'alice', 1000, 4242, undefined].map(
        async user => (await resolveUser(user, undefined, sources)).name,
      )
      assert.deepEqual(await Promise.all(names), ['ldap', 'alice', 'alice', '4242', 'nobody'])
    })

    it('refuses what it does not know, and nonsense', async () => {
      for (const user of ['mallory', 'odd']) {
        await assert.rejects(resolveUser(user, undefined, sources), { code: 'START_FAILED', stage: 'user' })
      }
    })

    it('does without it when it cannot be run', async () => {
      await assert.rejects(resolveUser('mallory', undefined, { ...sources, getent: '/no/such/getent' }), {
        stage: 'user',
      })
    })
  })
})
