import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { javaProgram } from '../../support/runtimes.ts'
import { javaSeen } from '../support/java-seen.ts'
import { patience, until } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents, skipAloud } from './agents.ts'
import { type Fields, lastEnd, logs, runGroup, runJob, shellTask, taskIs, told } from './jobs.ts'
import { isHealthy } from './node.ts'

/**
 * Nomad's own example of a device plugin, which lends the files of a directory: `go build
 * ./plugins/device/cmd/example/cmd` makes it.
 */
const devicePlugin = process.env.NOMAD_DEVICE_PLUGIN

/** What Nomad's client lays out for a task, and what the task has of it. */
describe("a real Nomad's tasks", function () {
  this.timeout(300_000 * patience)
  let agents: Agents
  let agent: RealAgent
  let lent: string
  let files: Server

  before(async function () {
    agents = new Agents(this)
    lent = join(agents.directory, 'lent')
    for (const part of ['ro', 'rw', 'mount', 'devices']) {
      mkdirSync(join(lent, part), { recursive: true })
      writeFileSync(join(lent, part, 'given'), `${part}\n`)
      for (const name of ['', 'given']) chmodSync(join(lent, part, name), 0o777)
    }
    const device = `
      plugin "${basename(devicePlugin ?? 'none')}" {
        config {
          dir            = "${join(lent, 'devices')}"
          unhealthy_perm = "----------"
        }
      }`
    agent = await agents.make('tasks', {
      server: true,
      client: true,
      more: {
        server: 'default_scheduler_config {\n memory_oversubscription_enabled = true\n}',
        client: `
          host_volume "ro" {
            path      = "${join(lent, 'ro')}"
            read_only = true
          }
          host_volume "rw" {
            path = "${join(lent, 'rw')}"
          }`,
        plugin: `allow_mounts = ["${join(lent, 'mount')}"]`,
        agent: devicePlugin === undefined ? '' : device,
      },
    })
    if (devicePlugin !== undefined)
      copyFileSync(devicePlugin, join(agent.directory, 'plugins', basename(devicePlugin)))
    files = createServer((_request, response) => response.end('fetched\n')).listen(0, '127.0.0.1')
    await agent.start()
    await isHealthy(agent)
  })
  after(async () => {
    files?.close()
    await agents?.close()
  })

  /** Runs it to its end and resolves to its output. */
  async function output(id: string, script: string, more: Fields = {}, group: Fields = {}): Promise<string> {
    const { ID } = await runGroup(agent, id, 'batch', {
      Tasks: [shellTask('t', `${script}; echo over`, more)],
      ...group,
    })
    const task = await taskIs(agent, ID, 'dead')
    await until(`its output is there: ${told(task)}`, async () =>
      (await logs(agent, ID).catch(() => '')).endsWith('over\n'),
    )
    return (await logs(agent, ID)).slice(0, -'over\n'.length)
  }

  it('lends host volumes, as the job and the node say: to be read, or to be written', async () => {
    const shown = await output(
      'volumes',
      'cat /vol/ro/given /srv/deep/rw/given /again/given; echo new > /srv/deep/rw/new; ' +
        'touch /vol/ro/x 2>/dev/null || echo read-only; touch /again/x 2>/dev/null || echo read-only',
      {
        VolumeMounts: [
          { Volume: 'ro', Destination: '/vol/ro' },
          { Volume: 'rw', Destination: '/srv/deep/rw' },
          { Volume: 'rw', Destination: '/again', ReadOnly: true },
        ],
      },
      {
        Volumes: {
          ro: { Name: 'ro', Type: 'host', Source: 'ro', ReadOnly: true },
          rw: { Name: 'rw', Type: 'host', Source: 'rw' },
        },
      },
    )
    assert.equal(shown, 'ro\nrw\nrw\nread-only\nread-only\n')
    assert.equal(readFileSync(join(lent, 'rw/new'), 'utf8'), 'new\n')
  })

  it('lends what a job mounts by itself, where the node allows it', async () => {
    const source = join(lent, 'mount')
    const mount = [
      { source, target: '/mounted' },
      { source, target: '/local/written', read_only: false },
    ]
    const shown = await output(
      'mounts',
      'cat /mounted/given; echo new > /local/written/new; touch /mounted/x 2>/dev/null || echo read-only',
      { Config: { mount } },
    )
    assert.equal(shown, 'mount\nread-only\n')
    assert.equal(readFileSync(join(source, 'new'), 'utf8'), 'new\n')
    const refused = await runJob(agent, 'refused', 'batch', 'true', {
      config: { mount: [{ source: '/etc', target: '/x' }] },
    })
    const { Events } = await taskIs(agent, refused.ID, 'dead')
    assert.ok(
      Events.some(({ DisplayMessage }) => DisplayMessage.includes('allow_mounts does not include /etc')),
    )
  })

  it('has templates, artifacts and secrets where Nomad has put them', async () => {
    const { port } = files.address() as AddressInfo
    const template = (text: string, path: string, more: object = {}) => ({
      EmbeddedTmpl: text,
      DestPath: path,
      ChangeMode: 'noop',
      Perms: '0644',
      ...more,
    })
    const shown = await output(
      'templates',
      'cat /local/of-job /secrets/of-job /conf/of-job /local/fetched; echo $FROM_TEMPLATE; ' +
        'touch /conf/x 2>/dev/null || echo read-only; stat -f -c %T /secrets',
      {
        Templates: [
          template('local of {{ env "NOMAD_TASK_NAME" }}\n', 'local/of-job'),
          template('secret\n', 'secrets/of-job'),
          template('outside\n', 'conf/of-job'),
          template('FROM_TEMPLATE=known\n', 'secrets/env', { Envvars: true }),
        ],
        Artifacts: [
          { GetterSource: `http://127.0.0.1:${port}/f`, RelativeDest: 'local/fetched', GetterMode: 'file' },
        ],
      },
    )
    assert.equal(shown, 'local of t\nsecret\noutside\nfetched\nknown\nread-only\ntmpfs\n')
  })

  it("runs as the job's user, with the job's environment and nothing of the agent's", async () => {
    const shown = await output(
      'user',
      'id -un; echo $GREETING $NOMAD_META_OWN $NOMAD_ALLOC_DIR $NOMAD_TASK_DIR $NOMAD_SECRETS_DIR; ' +
        'env | grep -c PLUGIN; touch /local/x /secrets/x /tmp/x /alloc/data/x && echo may write',
      { User: 'daemon', Env: { GREETING: 'hello ${NOMAD_TASK_NAME}' }, Meta: { own: 'meta' } },
    )
    assert.equal(shown, 'daemon\nhello t meta /alloc /local /secrets\n0\nmay write\n')
    const root = await runGroup(agent, 'root', 'batch', {
      Tasks: [shellTask('t', 'true', { User: 'root' })],
    })
    const { Events } = await taskIs(agent, root.ID, 'dead')
    assert.ok(Events.some(({ DisplayMessage }) => DisplayMessage.includes('does not run jobs as root')))
  })

  it('may use more memory than it has reserved up to memory_max, and no more', async () => {
    const resources = { Resources: { CPU: 100, MemoryMB: 20, MemoryMaxMB: 120 } }
    assert.equal(await output('beyond', 'head -c 60M /dev/zero | tail | wc -c', resources), '62914560\n')
    const { ID } = await runGroup(agent, 'too-much', 'batch', {
      Tasks: [shellTask('t', 'tail /dev/zero', resources)],
    })
    assert.equal(lastEnd(await taskIs(agent, ID, 'dead')).oom_killed, 'true')
  })

  it('running Java finds its own host by name, and takes its heap from the memory of the job', async function () {
    const java = javaProgram() ?? skipAloud(this, 'a JVM')
    const template = {
      EmbeddedTmpl: javaSeen,
      DestPath: 'local/Seen.java',
      ChangeMode: 'noop',
      Perms: '0644',
    }
    const shown = await output('java', `${java} -XX:+UseSerialGC /local/Seen.java`, {
      Templates: [template],
      Resources: { CPU: 500, MemoryMB: 1024 },
    })
    const [, name, address, heap] = /^host (\S+) ([\d.]+)\nheap (\d+)\n$/.exec(shown) ?? []
    assert.ok(name && address, shown)
    // A quarter of the memory is Java's own default.
    assert.ok(Number(heap) > 200 * 1024 * 1024 && Number(heap) <= 256 * 1024 * 1024, shown)
  })

  it('has the processors that were reserved for it, and no other', async () => {
    const shown = await output('cores', "grep -o 'Cpus_allowed_list.*' /proc/self/status; nproc", {
      Resources: { Cores: 1, MemoryMB: 64 },
    })
    assert.match(shown, /^Cpus_allowed_list:\t\d+\n1\n$/)
  })

  it('has what a device plugin lends', async function () {
    if (devicePlugin === undefined) skipAloud(this, 'the example of a device plugin in NOMAD_DEVICE_PLUGIN')
    const shown = await output('device', 'cat /tmp/task-mounts/given; echo back > /tmp/task-mounts/given', {
      Resources: { CPU: 100, MemoryMB: 64, Devices: [{ Name: 'nomad/file/mock', Count: 1 }] },
    })
    assert.equal(shown, 'devices\n')
    assert.equal(readFileSync(join(lent, 'devices/given'), 'utf8'), 'back\n')
  })

  it('lets the tasks of a group follow each other, and share alloc/', async () => {
    const first = shellTask('first', 'echo prepared > /alloc/data/first', {
      Lifecycle: { Hook: 'prestart', Sidecar: false },
    })
    const last = shellTask('last', 'echo cleaned > /alloc/data/last', {
      Lifecycle: { Hook: 'poststop', Sidecar: false },
    })
    const { ID } = await runGroup(agent, 'group', 'batch', {
      Tasks: [first, shellTask('t', 'cat /alloc/data/first'), last],
    })
    await taskIs(agent, ID, 'dead', 'last')
    await until('its output is there', async () => (await logs(agent, ID)) === 'prepared\n')
    assert.ok(existsSync(join(agent.directory, 'data/alloc', ID, 'alloc/data/last')))
  })
})
