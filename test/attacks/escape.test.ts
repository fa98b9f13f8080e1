import assert from 'node:assert/strict'
import { isRoot, strongest, taskUsers } from '../support/identity.ts'
import { output } from '../support/output.ts'
import { asRoot, requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, verdicts } from './hostile.ts'

const mounting = [
  'mount',
  'remount-root',
  'remount-usr',
  'remount-proc-sys',
  'umount-mask',
  'umount-proc',
  'new-proc',
  'open_tree',
  'fsopen',
  'pivot_root',
  'chroot',
] as const
const naming = ['sethostname', 'setdomainname'] as const
const nodes = ['mknod-memory', 'mknod-disk'] as const

describe('attack: escaping the root and the namespaces', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const user of taskUsers) {
    it(`${user} cannot mount, remount, unmount, change root, make nodes, enter or make a namespace`, () =>
      withWorkbench('linux', async bench => {
        const seen = await verdicts(attacker(bench, 'escape', [], { user }))
        assert.deepEqual(seen, {
          ...all([...mounting, ...naming, ...nodes, 'chroot-init'], 'EPERM'),
          ...all(['unshare-user', 'unshare-mount', 'clone-user', 'clone-user-high'], 'EPERM'),
          // So that the C library falls back to clone, whose flags a filter can see.
          'clone3-user': 'ENOSYS',
          'setns-init': 'EACCES',
        })
      }))

    it(`with the filter off, ${user} without capabilities gets no further than an empty user namespace`, () =>
      withWorkbench('linux', async bench => {
        const seen = await verdicts(attacker(bench, 'escape', [], { user, seccomp: 'off' }))
        assert.deepEqual(seen, {
          ...all([...mounting, ...naming, ...nodes, 'unshare-mount'], 'EPERM'),
          'chroot-init': 'EACCES',
          'setns-init': 'EACCES',
          ...all(['unshare-user', 'clone-user', 'clone-user-high', 'clone3-user'], 'ok'),
        })
      }))
  }

  it('a user namespace neither lifts the masks nor makes read-only mounts writable nor makes nodes', () =>
    withWorkbench('linux', async bench => {
      const seen = await verdicts(attacker(bench, 'user_namespace', [], { seccomp: 'off' }))
      // The first two show that it had its capabilities.
      const { unshare, mount, ...rest } = seen
      assert.deepEqual([unshare, mount], ['ok', 'ok'])
      for (const [name, verdict] of Object.entries(rest)) assert.notEqual(verdict, 'ok', name)
    }))

  it('control: the filter alone stops a task that has every capability it would need', () =>
    withWorkbench('linux', async bench => {
      const capabilities = ['CAP_SYS_ADMIN', 'CAP_SYS_CHROOT', 'CAP_MKNOD']
      const seen = await verdicts(attacker(bench, 'escape', [], { user: strongest, capabilities }))
      for (const name of [...mounting, ...naming]) assert.equal(seen[name], 'EPERM', name)
      // An ordinary user's hold in its namespace only, where no node can be made.
      assert.equal(seen['mknod-memory'], isRoot ? 'ok' : 'EPERM', 'the capabilities were there')
    }))

  it('control: with filter off and capabilities granted the same program does mount', () =>
    withWorkbench('linux', async bench => {
      const capabilities = ['CAP_SYS_ADMIN', 'CAP_SYS_CHROOT', 'CAP_MKNOD']
      const seen = await verdicts(
        attacker(bench, 'escape', [], { user: strongest, seccomp: 'off', capabilities }),
      )
      assert.deepEqual([seen.mount, seen['remount-usr'], seen.sethostname], ['ok', 'ok', 'ok'])
    }))

  it(
    'a device node that was made does not open: every writable mount is nodev',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const task = bench.shell(
          'mknod /local/mem c 1 1; mknod /tmp/mem c 1 1; mknod /alloc/mem c 1 1; for d in local tmp alloc; do cat /$d/mem >/dev/null; done',
        )
        Object.assign(task.command, { user: strongest, capabilities: ['CAP_MKNOD'] })
        await task.start()
        const { exitCode } = await task.wait()
        assert.equal(exitCode, 1)
        const complaints = (await output(task, 'stderr')).trim().split('\n')
        assert.equal(complaints.length, 3)
        for (const line of complaints) assert.match(line, /mem: Permission denied$/)
      }),
    ),
  )
})

function all(names: readonly string[], verdict: string): Record<string, string> {
  return Object.fromEntries(names.map(name => [name, verdict]))
}
