import assert from 'node:assert/strict'
import { rmSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Probe } from '../../../src/spawn/probe.ts'
import { type Access, findAccess } from '../../../src/platform/linux/access.ts'
import { FakeHost } from '../fake-host.ts'

const granted: Probe = {
  ...{ user: 0, mount: 0, pid: 0, ipc: 0, uts: 0, cgroup: 0, network: 0, root: 0, proc: 0 },
  mountSetattr: true,
}
const { EPERM, ENOSPC, EACCES } = constants.errno

describe('what this process may isolate by', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
    for (const name of ['mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net', 'user'])
      host.file(`proc/self/ns/${name}`)
  })
  afterEach(() => host.remove())

  const access = (tried: Probe | null, uid = 1000): Access =>
    findAccess({ proc: host.proc, self: { uid, gid: uid, groups: [] }, tryOut: () => tried })
  const denial = (tried: Probe | null, name: string) => access(tried).kernel.denied?.get(name)

  it('is root with CAP_SYS_ADMIN, without trying anything', () => {
    host.file('proc/self/status', 'CapEff:\t000001ffffffffff\n')
    const never = () => assert.fail('tried')
    const { right, kernel } = findAccess({
      proc: host.proc,
      self: { uid: 0, gid: 0, groups: [] },
      tryOut: never,
    })
    assert.equal(right, 'root')
    assert.equal(kernel.namespaces.size, 6)
  })

  it('is nothing as root without it, as in a container, where the kernel refuses', () => {
    host.file('proc/self/status', 'CapEff:\t00000000a80425fb\n')
    const { right, kernel, ownUserOnly } = access({ user: EPERM, step: 'unshare user' }, 0)
    assert.equal(right, 'none')
    assert.deepEqual([...kernel.namespaces], [])
    assert.match(kernel.denied?.get('pid')?.hint ?? '', /--cap-add SYS_ADMIN/)
    assert.equal(ownUserOnly, null, 'it may become nobody all the same')
  })

  it('is a user namespace as root without it, where the kernel gives one; whom tasks can be given to follows from whose numbers are there', () => {
    host.file('proc/self/status', 'CapEff:\t00000000a80425fb\n')
    for (const [ids, becomes, ownRoot] of [
      ['all', true, true],
      ['own', false, true],
    ] as const) {
      const { right, kernel, ownUserOnly } = access({ ...granted, ids }, 0)
      assert.equal(right, 'user-namespace', ids)
      assert.equal(ownUserOnly === null, becomes, ids)
      assert.equal(kernel.denied?.has('root'), !ownRoot, ids)
    }
  })

  it('is, where root has no number in it, worth less than to become nobody, and more than nothing', () => {
    host.file('proc/self/status', 'CapEff:\t00000000280425fb\n')
    const able = access({ ...granted, root: constants.errno.EOVERFLOW, ids: 'none' }, 0)
    assert.deepEqual([able.right, able.ownUserOnly], ['none', null])
    assert.match(able.kernel.denied?.get('pid')?.hint ?? '', /--cap-add SETFCAP/)
    host.file('proc/self/status', 'CapEff:\t0000000000000000\n')
    const bare = access({ ...granted, root: constants.errno.EOVERFLOW, ids: 'none' }, 0)
    assert.equal(bare.right, 'user-namespace')
    assert.deepEqual([bare.kernel.namespaces.has('pid'), bare.kernel.denied?.has('root')], [true, true])
  })

  it('is a user namespace as root without any other capability that root needs for tasks', () => {
    for (const [name, bit] of [
      ['CAP_CHOWN', 0n],
      ['CAP_KILL', 5n],
      ['CAP_SETUID', 7n],
      ['CAP_MKNOD', 27n],
    ] as const) {
      host.file('proc/self/status', `CapEff:\t${(0x1ffffffffffn & ~(1n << bit)).toString(16)}\n`)
      assert.equal(access({ ...granted, ids: 'own' }, 0).right, 'user-namespace', name)
    }
  })

  it('says that a root without any capability runs tasks as itself, and what would change that', () => {
    host.file('proc/self/status', 'CapEff:\t0000000000000000\n')
    const { ownUserOnly, limitsCapabilities } = access({ user: EPERM, step: 'unshare user' }, 0)
    assert.match(ownUserOnly?.reason ?? '', /without CAP_SETUID/)
    assert.match(ownUserOnly?.hint ?? '', /give root its capabilities/)
    assert.equal(limitsCapabilities, false)
  })

  it('is a user namespace as root of one, whatever its capabilities; whom tasks can be given to is what its maps say', () => {
    host.file('proc/self/status', 'CapEff:\t000001ffffffffff\n')
    for (const [map, setgroups, reason] of [
      ['         0       1000          1\n', 'deny', /no other user in it/],
      ['         0          0      65536\n', 'deny', /lets nobody leave groups/],
      ['         0          0      65536\n', 'allow', null],
    ] as const) {
      for (const name of ['uid_map', 'gid_map']) host.file(`proc/self/${name}`, map)
      host.file('proc/self/setgroups', `${setgroups}\n`)
      const { right, ownUserOnly } = access({ ...granted, ids: 'all' }, 0)
      assert.equal(right, 'user-namespace')
      if (reason === null) assert.equal(ownUserOnly, null)
      else assert.match(ownUserOnly?.reason ?? '', reason)
    }
    for (const name of ['uid_map', 'gid_map']) host.file(`proc/self/${name}`, '0 0 4294967295\n')
    for (const [namespace, right] of [
      [4_026_531_837, 'root'],
      [4_026_532_640, 'user-namespace'],
      [12, 'root'],
    ] as const) {
      const link = join(host.proc, 'self/ns/user')
      rmSync(link)
      symlinkSync(`user:[${namespace}]`, link)
      assert.equal(access({ ...granted, ids: 'all' }, 0).right, right, `everybody, in ${namespace}`)
    }
    rmSync(join(host.proc, 'self/ns/user'))
    assert.equal(access(null, 0).right, 'root', 'the control: the maps of the host')
  })

  it('is a user namespace for an ordinary user who gets one', () => {
    const { right, kernel } = access(granted)
    assert.equal(right, 'user-namespace')
    assert.deepEqual([kernel.namespaces.size, kernel.denied?.size], [6, 0])
  })

  for (const [title, file, value, tried, hint] of [
    [
      'the limit is 0',
      'user/max_user_namespaces',
      '0',
      { user: ENOSPC, step: 'unshare user' },
      /user\.max_user_namespaces=/,
    ],
    [
      'it is used up',
      'user/max_user_namespaces',
      '100',
      { user: ENOSPC, step: 'unshare user' },
      /user\.max_user_namespaces=/,
    ],
    [
      'Debian has it switched off',
      'kernel/unprivileged_userns_clone',
      '0',
      { user: EPERM, step: 'unshare user' },
      /unprivileged_userns_clone=1/,
    ],
    [
      'AppArmor takes the rights away',
      'kernel/apparmor_restrict_unprivileged_userns',
      '1',
      { user: EPERM, step: 'uid_map' },
      /apparmor_restrict_unprivileged_userns=0/,
    ],
  ] as const)
    it(`is none where ${title}, and says which command would change that`, () => {
      host.file(`proc/sys/${file}`, `${value}\n`)
      const { right, kernel } = access(tried)
      assert.equal(right, 'none')
      assert.deepEqual([...kernel.namespaces], [])
      for (const name of ['user', 'mount', 'root'])
        assert.match(kernel.denied?.get(name)?.hint ?? '', hint, name)
      assert.match(kernel.denied?.get('user')?.reason ?? '', new RegExp(tried.step))
    })

  it('is none where a filter refuses, and names the container', () => {
    host.file('proc/self/status', 'Seccomp:\t2\n')
    assert.match(denial({ user: EPERM, step: 'unshare user' }, 'user')?.hint ?? '', /seccomp=unconfined/)
  })

  it('is a user namespace without a root where /proc is covered, or the kernel too old', () => {
    const covered = access({ ...granted, proc: EPERM })
    assert.equal(covered.right, 'user-namespace')
    assert.equal(covered.kernel.namespaces.size, 6)
    assert.match(covered.kernel.denied?.get('root')?.hint ?? '', /systempaths=unconfined/)
    assert.match(denial({ ...granted, mountSetattr: false }, 'root')?.hint ?? '', /5\.12/)
    assert.equal(denial({ ...granted, root: EACCES }, 'root')?.reason.includes('EACCES'), true)
  })

  it('leaves out single namespaces that are refused', () => {
    const { kernel } = access({ ...granted, network: ENOSPC })
    assert.equal(kernel.namespaces.has('network'), false)
    assert.match(kernel.denied?.get('network')?.hint ?? '', /max_net_namespaces/)
    assert.equal(kernel.denied?.has('root'), false)
  })

  it('is none where the native program cannot be run', () => {
    assert.equal(access(null).right, 'none')
    assert.match(denial(null, 'pid')?.hint ?? '', /npm run build/)
  })
})
