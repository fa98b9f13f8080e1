import assert from 'node:assert/strict'
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../../src/nomad/wire/codec.ts'
import { AgentLogs } from './support/agent-logs.ts'
import { Allocation } from './support/allocation.ts'
import { driverBench } from './support/driver-bench.ts'
import { PluginHost } from './support/plugin-host.ts'
import { until } from './support/until.ts'

const mebibyte = 1024 * 1024

/** With `collect_logs` the client starts no collector of its own, and makes no FIFOs. */
describe('the logs that the driver collects', function () {
  this.timeout(120_000)
  const collecting = { collect_logs: true, log_max_file_size: 1, log_max_files: 2 }
  const bench = driverBench('nomad-logs', collecting, false)
  const logs = () => join(bench.allocation.dir, 'alloc/logs')

  async function run(script: string, more: object = {}): Promise<void> {
    const task = bench.allocation.shell(script, more)
    await bench.start(task)
    const { result } = await bench.driver('WaitTask', { task_id: task.id })
    assert.deepEqual(result, { exit_code: 0, signal: 0, oom_killed: false })
  }

  it('are asked of the client to be left alone, and only then', async () => {
    assert.equal(((await bench.driver('Capabilities')).capabilities as Message).disable_log_collection, true)
    const other = await PluginHost.launch()
    try {
      await other.configure({ state_dir: bench.stateDir })
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
    assert.equal(new AgentLogs(bench.allocation.dir, 't', 'stderr').read(), 'to stderr\n')
    const { uid, mode } = lstatSync(join(logs(), 't.stdout.0'))
    assert.deepEqual([uid, mode & 0o777], [0, 0o644])
  })

  it('are followed over every rotation, also while the plugin is killed and its successor takes over', async () => {
    const part = (number: number) =>
      `seq -f ${number}%06.0f 100000; until [ -e /local/${number} ]; do sleep 0.02; done`
    const task = bench.allocation.task({
      command: '/bin/sh',
      args: ['-c', [1, 2, 3, 4].map(part).join('\n')],
      logs: { max_files: 3 },
    })
    const handle = await bench.start(task)
    const reader = new AgentLogs(bench.allocation.dir, 't', 'stdout')
    for (const number of [1, 2, 3, 4]) {
      await until(`part ${number} is in the log`, () => reader.read().endsWith(`${number}100000\n`))
      if (number === 2) await bench.host.kill()
      writeFileSync(join(bench.allocation.dir, `t/local/${number}`), '')
    }
    await bench.launch(collecting)
    await bench.driver('RecoverTask', { handle })
    const { result } = await bench.driver('WaitTask', { task_id: task.id })
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
    const collected = new Allocation(bench.directory)
    const task = collected.shell(
      'echo up; until [ -e /local/go ]; do sleep 0.02; done; head -c 300000 /dev/zero',
    )
    try {
      await other.configure({ state_dir: bench.stateDir })
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

  it("are the task's: what a command inside of it says goes to who has asked for that", async () => {
    const task = bench.allocation.shell('sleep 100')
    await bench.start(task)
    const stream = bench.host.client.duplex('ExecTaskStreaming')
    let said = ''
    stream.on('data', ({ stdout }: Message) => (said += String((stdout as Message | null)?.data ?? '')))
    const end = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
    stream.write({ setup: { task_id: task.id, command: ['sh', '-c', 'echo inside'], tty: false } })
    await end
    stream.end()
    assert.equal(said, 'inside\n')
    assert.equal(new AgentLogs(bench.allocation.dir, 't', 'stdout').read(), '')
  })

  it('are none where the job has turned them off', async () => {
    await run('echo one', { stdout_path: '/dev/null', stderr_path: '/dev/null' })
    assert.deepEqual(readdirSync(logs()), [])
  })

  it('are in no reach of the task: it can neither erase them nor put another in their place', async () => {
    await run('echo mine; rm -f /alloc/logs/t.stdout.0; echo forged > /alloc/logs/t.stdout.1; :')
    assert.deepEqual(new AgentLogs(bench.allocation.dir, 't', 'stdout').read(), 'mine\n')
    assert.equal(existsSync(join(logs(), 't.stdout.1')), false)
  })
})
