import assert from 'node:assert/strict'
import { constants } from 'node:os'
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
    const refused = {
      ...granted,
      mount: EPERM,
      pid: EPERM,
      ipc: EPERM,
      uts: EPERM,
      cgroup: EPERM,
      network: EPERM,
      root: EPERM,
      proc: EPERM,
    }
    const { right, kernel } = access(refused, 0)
    assert.equal(right, 'none')
    assert.deepEqual([...kernel.namespaces], [])
    assert.match(kernel.denied?.get('pid')?.hint ?? '', /--cap-add SYS_ADMIN/)
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
