import assert from 'node:assert/strict'
import { fingerprint } from '../../src/platform/host.ts'
import { bestPlatform, platform } from '../../src/platform/index.ts'
import { FakeHost } from './fake-host.ts'

describe('the fingerprint of a host', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const rows = async (uid: number | undefined = 0) => {
    const report = await fingerprint({ proc: host.proc, env: { HOLDFAST_NATIVE: 'off' }, uid })
    return new Map(report.rows.map(row => [row.name, row]))
  }

  it('says what is there', async () => {
    host.hierarchy('memory')
    host.unified('io')
    for (const name of ['mnt', 'pid', 'net']) host.file(`proc/self/ns/${name}`)
    host.file('proc/sys/kernel/seccomp/actions_avail')
    const found = await rows()
    const yes = [...found.values()].filter(({ status }) => status === 'yes').map(({ name }) => name)
    for (const name of [
      'node',
      'root',
      'cgroup',
      'cgroup.memory',
      'cgroup.io',
      'namespace.mount',
      'namespace.network',
      'seccomp',
    ])
      assert.ok(yes.includes(name), name)
    assert.match(found.get('cgroup')?.why ?? '', /beside a cgroup2/)
    assert.match(found.get('cgroup.memory')?.why ?? '', /cgroup\/memory$/)
  })

  it('says why not, and the mend, for all that is missing', async () => {
    const found = await rows(1000)
    const missing = [...found.values()].filter(({ status }) => status === 'no')
    for (const name of ['root', 'native', 'cgroup', 'cgroup.cpu', 'cgroup.io', 'namespace.uts', 'seccomp'])
      assert.ok(
        missing.some(row => row.name === name),
        name,
      )
    assert.deepEqual(
      missing.filter(({ why, mend }) => why === '' || !mend),
      [],
    )
    assert.match(found.get('native')?.why ?? '', /HOLDFAST_NATIVE=off/)
  })

  it('gives each platform once, by name', () => {
    assert.equal(platform('basic'), platform('basic'))
    assert.equal(platform('linux').name, 'linux')
    assert.ok(['basic', 'linux'].includes(bestPlatform()))
  })
})
