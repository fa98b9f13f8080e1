import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { differences as rows } from '../../../src/nomad/check/differences.ts'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents } from './agents.ts'
import { fixtures, nameOf } from './both/adapted.ts'
import { Artifacts } from './both/artifacts.ts'
import { compare, type Differing, differenceTable, explanationOf } from './both/difference.ts'
import { explained } from './both/explained.ts'
import { chroot } from './both/observed.ts'
import { placesIn, placesSeen } from './both/places.ts'
import { bothLoaded, differingFigures } from './both/metrics.ts'
import { jobOf, runToItsEnd, withHoldfast } from './both/run.ts'
import { type Fields, logs, runGroup, shellTask, taskIs } from './jobs.ts'
import { driverOf, isHealthy } from './node.ts'

/** The jobs of test/nomad/jobs under the drivers that they were written for and under this one. */
describe('the same jobs under two drivers of a real Nomad', function () {
  this.timeout(300_000 * patience)
  let agents: Agents
  let agent: RealAgent
  let artifacts: Artifacts
  let hasJava = false
  let ofNode: string
  const found: Differing[] = []

  before(async function () {
    agents = new Agents(this)
    artifacts = await Artifacts.serve(join(agents.directory, 'artifacts'))
    hasJava = artifacts.compileJava()
    const lent = join(agents.directory, 'lent')
    mkdirSync(lent)
    writeFileSync(join(lent, 'given'), 'given\n')
    chmodSync(lent, 0o777)
    ofNode = join(agents.directory, 'node')
    mkdirSync(ofNode)
    agent = await agents.make('both', {
      server: true,
      client: true,
      drivers: ['exec', 'java', 'raw_exec'],
      more: {
        server: 'default_scheduler_config {\n memory_oversubscription_enabled = true\n}',
        options: '"user.denylist" = ""',
        client: `
          chroot_env {
            ${chroot.map(path => `"${path}" = "${path}"`).join('\n')}
            "${ofNode}" = "/of-node"
          }
          host_volume "store-data" {
            path = "${lent}"
          }`,
        agent: `
          plugin "raw_exec" {
            config {
              enabled = true
            }
          }
          plugin "exec" {
            config {
              allow_caps = ["all"]
            }
          }`,
        plugin: `allow_root = true\n allow_capabilities = ["net_raw"]\n allow_mounts = ["${ofNode}"]`,
      },
    })
    await agent.start()
    await isHealthy(agent)
    await until('exec is healthy', async () => (await driverOf(agent, 'exec'))?.Healthy === true, 60_000)
    await agent.put('/v1/var/billing/db', { Items: { user: 'bill' } })
    await agent.put('/v1/var/nomad/jobs/configured', { Items: { token: 'known' } })
  })
  after(async () => {
    artifacts?.close()
    await agents?.close()
    const row = (one: Differing) => explanationOf(one, explained)?.rows.join('; ') ?? 'NONE'
    if (found.length > 0) process.stdout.write(`${differenceTable(found, 'as written', row)}\n`)
  })

  for (const fixture of fixtures)
    it(`${nameOf(fixture)}: events, exit codes, output, files and metrics are the same, or docs/nomad.md says why not`, async function () {
      const job = await jobOf(agent, fixture, artifacts)
      if (!hasJava && JSON.stringify(job).includes('"Driver":"java"')) {
        process.stderr.write(
          `SKIPPED ${nameOf(fixture)}: needs a compiler of Java (apt-get install default-jdk-headless)\n`,
        )
        this.skip()
      }
      const theirs = await runToItsEnd(agent, job, fixture)
      const ours = await runToItsEnd(agent, withHoldfast(job), fixture)
      const differing = [
        ...compare(nameOf(fixture), theirs.seen, ours.seen),
        ...differingFigures(nameOf(fixture), theirs.figures, ours.figures),
      ]
      found.push(...differing)
      assert.deepEqual(
        differing.filter(one => explanationOf(one, explained) === undefined),
        [],
      )
    })

  it("that name no user read the node's /etc/shadow and overwrite a file of its root's under exec alone", async () => {
    const file = join(ofNode, 'file')
    const script =
      'read line < /etc/shadow && echo read; echo task > /of-node/file && echo wrote; id -un; echo over'
    const mount = [{ source: ofNode, target: '/of-node', read_only: false }]
    const shown: string[] = []
    for (const [driver, Config] of [
      ['exec', {}],
      ['holdfast', { mount }],
    ] as const) {
      writeFileSync(file, 'root\n', { mode: 0o644 })
      const task = shellTask('t', script, { Driver: driver, Config })
      const { ID } = await runGroup(agent, `node-${driver}`, 'batch', { Tasks: [task] })
      await taskIs(agent, ID, 'dead')
      await until('all is said', async () => (await logs(agent, ID).catch(() => '')).endsWith('over\n'))
      shown.push(`${await logs(agent, ID)}${readFileSync(file, 'utf8')}`)
    }
    assert.deepEqual(shown, ['read\nwrote\nnobody\nover\ntask\n', 'nobody\nover\nroot\n'])
  })

  it('have the same places of the system: in memory, read-only, and a terminal of their own', async () => {
    const output = async (name: string, script: string, more: Fields) => {
      const task = shellTask('t', script, more)
      const { ID } = await runGroup(agent, `places-${name}`, 'batch', { Tasks: [task] })
      await taskIs(agent, ID, 'dead')
      await until('all is said', async () => (await logs(agent, ID).catch(() => '')).endsWith('over\n'))
      return logs(agent, ID)
    }
    const theirs = placesIn(await output('exec', placesSeen, { Driver: 'exec' }))
    const ours = placesIn(await output('holdfast', placesSeen, {}))
    const differing = compare('places', [theirs], [ours])
    found.push(...differing)
    assert.deepEqual(
      differing.filter(one => explanationOf(one, explained) === undefined),
      [],
    )
    const value = (what: string) => ours.get(what)?.trim()
    assert.deepEqual(
      ['/dev/shm: is', '/dev/shm: size', '/dev/shm: write', '/sys/fs/cgroup: memory', 'terminal: is'].map(
        value,
      ),
      ['tmpfs 1777 0', '65536', 'written', String(64 * 1024 * 1024), 'one, number 0'],
    )
    const inMemory = { Config: { tmpfs: [{ target: '/tmp', size_mb: 8 }] } }
    const tmp = 'stat -f -c %T /tmp; df -k --output=size /tmp | tail -n 1; touch /tmp/own && echo over'
    assert.match(await output('tmpfs', tmp, inMemory), /^tmpfs\n *8192\nover\n$/)
  })

  it('have the same metrics under the same load: memory, processor time, ticks', async () => {
    const { theirs, ours } = await bothLoaded(agent, 'load', 5)
    const mebibyte = 1024 * 1024
    assert.ok(theirs.rss >= 12 * mebibyte && theirs.cache >= 6 * mebibyte && theirs.percent > 1)
    assert.deepEqual(differingFigures('load', new Map([['t', theirs]]), new Map([['t', ours]])), [])
    const rate = ({ ticks, percent }: { ticks: number; percent: number }) => ticks / percent
    assert.ok(Math.abs(rate(ours) / rate(theirs) - 1) < 0.01, `ticks: ${rate(theirs)}, ${rate(ours)}`)
  })

  it('has an explanation for nothing that is the same, and each is a row of the page', () => {
    const unused = explained.filter(
      one => !found.some(differing => explanationOf(differing, explained) === one),
    )
    assert.deepEqual(unused, [])
    const missing = explained.filter(one => !one.rows.every(row => rows.some(({ what }) => what === row)))
    assert.deepEqual(missing, [])
  })
})
