import assert from 'node:assert/strict'
import { hostFacts } from '../../src/platform/host-facts.ts'
import { bestPlatform, platform } from '../../src/platform/index.ts'
import { requires } from '../support/requires.ts'
import { FakeHost } from './fake-host.ts'

describe('what a host is', () => {
  let host: FakeHost
  beforeEach(() => {
    host = new FakeHost()
  })
  afterEach(() => host.remove())

  const facts = async (uid: number, env: NodeJS.ProcessEnv = { HOLDFAST_NATIVE: 'off' }) => {
    const { rows, ...rest } = await hostFacts({ proc: host.proc, env, uid })
    return { ...rest, rows: new Map(rows.map(row => [row.name, row])) }
  }

  it('says what is there', async function () {
    requires(this, 'native')
    host.hierarchy('memory')
    host.unified('io')
    host.file('proc/self/status', 'CapEff:\t000001ffffffffff\n')
    const { rows, mode } = await facts(0, {})
    for (const name of ['node', 'caller', 'native', 'cgroup'])
      assert.equal(rows.get(name)?.status, 'yes', name)
    assert.match(rows.get('cgroup')?.why ?? '', /beside a cgroup2/)
    assert.equal(mode.cgroup, 'hybrid')
  })

  it('says why not, and the mend, for all that is missing', async () => {
    const { rows, mode, versions } = await facts(1000)
    const missing = [...rows.values()].filter(({ status }) => status === 'no')
    assert.deepEqual(
      missing.map(({ name }) => name),
      ['caller', 'native', 'cgroup'],
    )
    assert.deepEqual(
      missing.filter(({ why, hint }) => why === '' || !hint),
      [],
    )
    assert.match(rows.get('native')?.why ?? '', /HOLDFAST_NATIVE=off/)
    assert.deepEqual([mode.isolation, mode.cgroup, versions.native], ['none', 'none', null])
  })

  it('has a row for a /proc that hides processes, and none for one that shows them', async function () {
    requires(this, 'linux')
    host.file(`proc/${process.pid}/stat`, '')
    const hidden = (await facts(1000)).rows.get('proc')
    assert.equal(hidden?.status, 'weakened')
    assert.match(hidden.hint ?? '', /hidepid=0/)
    host.file('proc/1/stat', '')
    assert.equal((await facts(1000)).rows.get('proc'), undefined)
  })

  it('gives each platform once, by name', () => {
    assert.equal(platform('basic'), platform('basic'))
    assert.equal(platform('linux').name, 'linux')
    assert.equal(bestPlatform(), process.platform === 'linux' ? 'linux' : 'basic')
  })
})
