import assert from 'node:assert/strict'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { FakeHost } from '../fake-host.ts'

describe('detectCgroups', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  it('finds one v1 hierarchy per controller', () => {
    const memory = host.hierarchy('memory')
    const pids = host.hierarchy('pids')
    const found = detectCgroups(host)
    assert.equal(found.mode, 'v1')
    assert.deepEqual(
      [...found.v1],
      [
        ['memory', memory],
        ['pids', pids],
      ],
    )
    assert.equal(found.v2, null)
  })

  it('finds co-mounted controllers at one place', () => {
    const both = host.hierarchy('cpu,cpuacct')
    const { v1 } = detectCgroups(host)
    assert.deepEqual([v1.get('cpu'), v1.get('cpuacct')], [both, both])
  })

  it('does not take named hierarchies and mount options for controllers', () => {
    host.mount('cgroup/systemd', 'cgroup', 'rw,xattr,name=systemd')
    const found = detectCgroups(host)
    assert.equal(found.mode, 'v1')
    assert.equal(found.v1.size, 0)
  })

  it('calls v1 beside cgroup2 hybrid, and keeps what cgroup2 has', () => {
    host.hierarchy('memory')
    const unified = host.unified('hugetlb')
    const found = detectCgroups(host)
    assert.equal(found.mode, 'hybrid')
    assert.deepEqual(found.v2, { mount: unified, controllers: new Set(['hugetlb']) })
  })

  it('calls cgroup2 alone v2', () => {
    const unified = host.unified('cpu memory pids')
    const found = detectCgroups(host)
    assert.equal(found.mode, 'v2')
    assert.deepEqual(found.v2, { mount: unified, controllers: new Set(['cpu', 'memory', 'pids']) })
  })

  it('finds none without cgroup mounts, and without /proc', () => {
    host.mount('tmp', 'tmpfs', 'rw,size=4k')
    assert.equal(detectCgroups(host).mode, 'none')
    assert.equal(detectCgroups({ proc: host.path('nowhere') }).mode, 'none')
  })

  it('does not use hierarchies that are mounted read-only, and says why', () => {
    host.mount('cgroup/memory', 'cgroup', 'rw,memory', 'ro,nosuid')
    host.mount('cgroup/pids', 'cgroup', 'ro,pids')
    const found = detectCgroups(host)
    assert.equal(found.v1.size, 0)
    assert.match(found.unusable.get('memory') ?? '', /read-only at .*cgroup\/memory/)
    assert.match(found.unusable.get('pids') ?? '', /read-only/)
  })

  it('does not use a read-only cgroup2', () => {
    host.mount('unified', 'cgroup2', 'rw', 'ro')
    host.file('unified/cgroup.controllers', 'memory\n')
    const found = detectCgroups(host)
    assert.equal(found.v2, null)
    assert.match(found.unusable.get('memory') ?? '', /read-only/)
  })

  it('reads mount points with spaces', () => {
    const memory = host.mount('with space/memory', 'cgroup', 'rw,memory')
    assert.equal(detectCgroups(host).v1.get('memory'), memory)
  })
})
