import assert from 'node:assert/strict'
import type { CgroupHost } from '../../../src/platform/linux/cgroup-mode.ts'
import { missingController, missingFile, notDelegated } from '../../../src/platform/linux/limit-shortfalls.ts'

describe('why a limit cannot be had', () => {
  const host = (changes: Partial<CgroupHost> = {}): CgroupHost => ({
    mode: 'v2',
    v1: new Map(),
    v2: { mount: '/cg', controllers: new Set(['cpu']) },
    unusable: new Map(),
    ...changes,
  })
  const io = { controller: 'io', limit: 'iops' } as const
  const parent = (dir = '/cg/holdfast') => ({ dir, controllers: new Set<string>() })

  it('names the controller and the parent that lacks it, and how it is switched on', () => {
    assert.deepEqual(missingController(io, parent(), host()), {
      status: 'skipped',
      reason: 'the io controller is not available to /cg/holdfast',
      hint: 'echo +io > /cg/cgroup.subtree_control',
    })
  })

  it('says why there is no parent', () => {
    const outcome = missingController(
      io,
      { reason: 'cgroup2 is not mounted' },
      host({ mode: 'none', v2: null }),
    )
    assert.deepEqual(outcome, {
      status: 'skipped',
      reason: 'cgroup2 is not mounted',
      hint: 'mount -t cgroup2 none /sys/fs/cgroup',
    })
  })

  it('says of a hierarchy that is mounted read-only that it is, whatever the parent lacks besides', () => {
    const unusable = new Map([['io', 'cgroup2 is mounted read-only at /cg']])
    const outcome = missingController(io, { reason: 'EROFS', denied: true }, host({ unusable }))
    assert.equal(outcome?.status === 'skipped' && outcome.reason, 'cgroup2 is mounted read-only at /cg')
    assert.match(outcome?.status === 'skipped' ? (outcome.hint ?? '') : '', /mount -o remount,bind,rw/)
  })

  it('asks an ordinary user for a delegation, and on v1, where there is none, for root', () => {
    const denied = { reason: 'EACCES', denied: true }
    const hint = (mode: CgroupHost['mode']) => {
      const outcome = missingController(io, denied, host({ mode }))
      return outcome?.status === 'skipped' ? (outcome.hint ?? '') : assert.fail('not skipped')
    }
    assert.match(hint('v2'), /Delegate=yes|run as root \(sudo\), or in a cgroup/)
    assert.equal(hint('v1'), 'run as root (sudo)')
  })

  it('has a drop-in for what systemd delegates to no user by default', () => {
    const delegated = parent('/cg/user.slice/user@1000.service/holdfast')
    const outcome = missingController(io, delegated, host())
    assert.match(
      outcome?.status === 'skipped' ? (outcome.hint ?? '') : '',
      /Delegate=.*# for io; then log in/,
    )
  })

  it('knows that memory is switched off at boot, and how a v1 controller is mounted', () => {
    const hint = (controller: string, mode: CgroupHost['mode']) => {
      const outcome = missingController({ controller, limit: 'pids' }, { reason: 'x' }, host({ mode }))
      return outcome?.status === 'skipped' ? outcome.hint : assert.fail('not skipped')
    }
    assert.equal(hint('memory', 'v1'), 'boot with cgroup_enable=memory')
    assert.equal(
      hint('pids', 'v1'),
      'mkdir -p /sys/fs/cgroup/pids && mount -t cgroup -o pids cgroup /sys/fs/cgroup/pids',
    )
  })

  it('has nothing to say of what nobody asked for', () => {
    assert.equal(missingController({ controller: 'memory', limit: null }, { reason: 'x' }, host()), null)
    assert.equal(missingFile({ files: [], limit: null }), null)
  })

  it('names every file that would have done', () => {
    const files = ['blkio.weight', 'blkio.bfq.weight'].map(name => ({ name, values: () => [] }))
    const outcome = missingFile({ files, limit: 'iops' })
    assert.equal(
      outcome?.status === 'skipped' && outcome.reason,
      'the kernel offers no blkio.weight nor blkio.bfq.weight',
    )
  })

  it('leaves a task where its orchestrator has put it', () => {
    assert.match(JSON.stringify(notDelegated({ controller: 'pids' })), /of the pids controller/)
  })
})
