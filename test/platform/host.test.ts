import assert from 'node:assert/strict'
import { fingerprint } from '../../src/platform/host.ts'
import { bestPlatform, platform } from '../../src/platform/index.ts'
import { requires } from '../support/requires.ts'
import { FakeHost } from './fake-host.ts'

describe('the fingerprint of a host', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const rows = async (uid: number | undefined = 0, env: NodeJS.ProcessEnv = { HOLDFAST_NATIVE: 'off' }) => {
    const report = await fingerprint({ proc: host.proc, env, uid })
    return new Map(report.rows.map(row => [row.name, row]))
  }

  it('says what is there', async function () {
    requires(this, 'native')
    host.hierarchy('memory')
    host.unified('io')
    for (const name of ['mnt', 'pid', 'net']) host.file(`proc/self/ns/${name}`)
    host.file('proc/sys/kernel/seccomp/actions_avail')
    const found = await rows(0, {})
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
      missing.filter(({ why, hint }) => why === '' || !hint),
      [],
    )
    assert.match(found.get('native')?.why ?? '', /HOLDFAST_NATIVE=off/)
  })

  it('says of a run without a native program what its start says: it is refused, and nothing is enforced', async () => {
    host.hierarchy('memory')
    for (const name of ['mnt', 'pid']) host.file(`proc/self/ns/${name}`)
    const { defaultRun, mode } = await fingerprint({
      proc: host.proc,
      env: { HOLDFAST_NATIVE: 'off' },
      uid: 0,
    })
    assert.deepEqual([defaultRun.platform, mode.isolation], ['linux', 'none'])
    assert.match(defaultRun.refused?.why ?? '', /HOLDFAST_NATIVE=off/)
    assert.match(defaultRun.refused?.hint ?? '', /unset HOLDFAST_NATIVE/)
    const found = await rows()
    for (const name of ['namespace.mount', 'namespace.pid', 'cgroup.memory', 'own root', 'user'])
      assert.equal(found.get(name)?.status, 'no', name)
  })

  it('gives each platform once, by name', () => {
    assert.equal(platform('basic'), platform('basic'))
    assert.equal(platform('linux').name, 'linux')
    assert.equal(bestPlatform(), process.platform === 'linux' ? 'linux' : 'basic')
  })
})
