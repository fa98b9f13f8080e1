import assert from 'node:assert/strict'
import { cgroupView } from '../../../src/platform/linux/own-cgroups.ts'

const v2 = { mount: '/sys/fs/cgroup', controllers: new Set(['memory']) }
const bound = (source: string, at: string) => ({
  ...{ op: 'bind', source, base: null, at, readOnly: true, devices: false },
})

describe('cgroupView', () => {
  it('shows the cgroup of version 2 as /sys/fs/cgroup, wherever the host has it', () => {
    for (const mount of ['/sys/fs/cgroup', '/cg'])
      assert.deepEqual(cgroupView({ v1: new Map(), v2: { ...v2, mount } }, [`${mount}/holdfast/key`]), {
        base: [{ op: 'dir', at: '/sys/fs/cgroup', mode: 0o755 }],
        own: [bound(`${mount}/holdfast/key`, '/sys/fs/cgroup')],
      })
  })

  it('shows those of version 1 by the names of their mounts, and by a link what is mounted with others', () => {
    const v1 = new Map([
      ['memory', '/sys/fs/cgroup/memory'],
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
      ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
    ])
    const unified = { ...v2, mount: '/sys/fs/cgroup/unified' }
    const dirs = ['memory/holdfast/key', 'cpu,cpuacct/holdfast/key', 'unified/holdfast/key']
    const at = dirs.map(dir => `/sys/fs/cgroup/${dir}`)
    const places = ['', '/memory', '/cpu,cpuacct', '/unified']
    assert.deepEqual(cgroupView({ v1, v2: unified }, at), {
      base: [
        ...places.map(name => ({ op: 'dir', at: `/sys/fs/cgroup${name}`, mode: 0o755 })),
        { op: 'symlink', to: 'cpu,cpuacct', at: '/sys/fs/cgroup/cpu' },
        { op: 'symlink', to: 'cpu,cpuacct', at: '/sys/fs/cgroup/cpuacct' },
      ],
      own: at.map(source => bound(source, source.slice(0, -'/holdfast/key'.length))),
    })
  })

  it('shows none that is beneath no mount of the host, and nothing to a task without any', () => {
    assert.deepEqual(cgroupView({ v1: new Map(), v2 }, ['/elsewhere/key']).own, [])
    assert.deepEqual(cgroupView(undefined, []), {
      base: [{ op: 'dir', at: '/sys/fs/cgroup', mode: 0o755 }],
      own: [],
    })
  })
})
