import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { untilNoneLeft } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { AgentLogs } from './support/agent-logs.ts'
import { Allocation } from './support/allocation.ts'
import { PluginHost } from './support/plugin-host.ts'
import { until } from './support/until.ts'

const mebibyte = 1024 * 1024

/** With `collect_logs` the client starts no collector of its own, and makes no FIFOs. */
describe('the logs that the driver collects', function () {
  this.timeout(120_000)
  let directory: string
  let host: PluginHost
  let allocation: Allocation
  const started = new Set<string>()

  const driver = (method: string, request: object = {}) => host.client.driver(method, request)
  const stateDir = () => join(directory, 'state')
  const logs = () => join(allocation.dir, 'alloc/logs')

  async function launch(collect_logs: boolean): Promise<void> {
    host = await PluginHost.launch()
    await host.configure({ state_dir: stateDir(), collect_logs, log_max_file_size: 1, log_max_files: 2 })
  }

  async function start(task: object & { id: string }): Promise<Message> {
    started.add(task.id)
    return (await driver('StartTask', { task })).handle as Message
  }

  async function run(script: string, more: object = {}): Promise<void> {
    const task = allocation.shell(script, more)
    await start(task)
    const { result } = await driver('WaitTask', { task_id: task.id })
    assert.deepEqual(result, { exit_code: 0, signal: 0, oom_killed: false })
  }

  before(async function () {
    requires(this, 'root', 'linux', 'native')
    directory = temporaryDirectory('nomad-logs')
    await launch(true)
  })
  after(async () => {
    await host?.kill()
    if (directory) removeTemporary(directory)
  })
  beforeEach(() => {
    allocation = new Allocation(directory, false)
  })
  afterEach(async () => {
    const keys = existsSync(join(stateDir(), 'tasks')) ? readdirSync(join(stateDir(), 'tasks')) : []
    for (const id of started) await driver('DestroyTask', { task_id: id, force: true })
    started.clear()
    await untilNoneLeft(keys)
  })

  it('are asked of the client to be left alone, and only then', async () => {
    assert.equal(((await driver('Capabilities')).capabilities as Message).disable_log_collection, true)
    const other = await PluginHost.launch()
    try {
      await other.configure({ state_dir: stateDir() })
      const { capabilities } = await other.client.driver('Capabilities')
      assert.equal((capabilities as Message).disable_log_collection, false)
    } finally {
      await other.kill()
    }
  })

  it("are Nomad's files, for all to read, and gone on with by the next start of the task", async () => {
    await run('echo one; echo to stderr >&2')
    await run('echo two')
    assert.deepEqual(readdirSync(logs()).sort(), ['t.stderr.0', 't.stdout.0'])
    assert.equal(readFileSync(join(logs(), 't.stdout.0'), 'utf8'), 'one\ntwo\n')
    assert.equal(new AgentLogs(allocation.dir, 't', 'stderr').read(), 'to stderr\n')
    const { uid, mode } = lstatSync(join(logs(), 't.stdout.0'))
    assert.deepEqual([uid, mode & 0o777], [0, 0o644])
  })

  it('are followed over every rotation, also while the plugin is killed and its successor takes over', async () => {
    const part = (number: number) =>
      `seq -f ${number}%06.0f 100000; until [ -e /local/${number} ]; do sleep 0.02; done`
    const task = allocation.task({
      command: '/bin/sh',
      args: ['-c', [1, 2, 3, 4].map(part).join('\n')],
      logs: { max_files: 3 },
    })
    const handle = await start(task)
    const reader = new AgentLogs(allocation.dir, 't', 'stdout')
    for (const number of [1, 2, 3, 4]) {
      await until(`part ${number} is in the log`, () => reader.read().endsWith(`${number}100000\n`))
      if (number === 2) await host.kill()
      writeFileSync(join(allocation.dir, `t/local/${number}`), '')
    }
    await launch(true)
    await driver('RecoverTask', { handle })
    const { result } = await driver('WaitTask', { task_id: task.id })
    assert.equal((result as Message).exit_code, 0)
    reader.close()
    const all = [1, 2, 3, 4].flatMap(number =>
      Array.from({ length: 100_000 }, (_, at) => `${number}${String(at + 1).padStart(6, '0')}\n`),
    )
    assert.ok(reader.text === all.join(''), 'a gap, or something twice')
    assert.deepEqual(reader.indexes(), [1, 2, 3])
    for (const index of reader.indexes())
      assert.ok(lstatSync(join(logs(), `t.stdout.${index}`)).size <= mebibyte)
  })

  it("do not hold up a task when it is the client's own collector that has died", async () => {
    const other = await PluginHost.launch()
    const collected = new Allocation(directory)
    const task = collected.shell(
      'echo up; until [ -e /local/go ]; do sleep 0.02; done; head -c 300000 /dev/zero',
    )
    try {
      await other.configure({ state_dir: stateDir() })
      started.add(task.id)
      await other.client.driver('StartTask', { task })
      await until('it is up', () => collected.logged().includes('up'))
      collected.close()
      writeFileSync(join(collected.dir, 't/local/go'), '')
      const { result } = await other.client.driver('WaitTask', { task_id: task.id })
      assert.deepEqual(result, { exit_code: 0, signal: 0, oom_killed: false })
    } finally {
      await other.client.driver('DestroyTask', { task_id: task.id, force: true })
      await other.kill()
    }
  })

  it('are none where the job has turned them off', async () => {
    await run('echo one', { stdout_path: '/dev/null', stderr_path: '/dev/null' })
    assert.deepEqual(readdirSync(logs()), [])
  })

  it('are in no reach of the task: it can neither erase them nor put another in their place', async () => {
    await run('echo mine; rm -f /alloc/logs/t.stdout.0; echo forged > /alloc/logs/t.stdout.1; :')
    assert.deepEqual(new AgentLogs(allocation.dir, 't', 'stdout').read(), 'mine\n')
    assert.equal(existsSync(join(logs(), 't.stdout.1')), false)
  })
})
