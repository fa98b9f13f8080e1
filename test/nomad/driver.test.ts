import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceError } from '@grpc/grpc-js'
import { codec, type Message } from '../../src/nomad/wire/codec.ts'
import { untilNoneLeft } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { Allocation } from './support/allocation.ts'
import { PluginClient, PluginHost } from './support/plugin-host.ts'
import { until } from './support/until.ts'

/** Everything an agent asks of a driver, asked of the plugin as a process. */
describe('the Nomad driver', function () {
  this.timeout(120_000)
  let directory: string
  let stateDir: string
  let host: PluginHost
  let allocation: Allocation
  const keys = new Set<string>()

  const driver = (method: string, request: object = {}) => host.client.driver(method, request)
  const byId = ({ id }: { id: string }) => ({ task_id: id })
  const config = () => ({ state_dir: stateDir })

  async function relaunch(): Promise<void> {
    host = await PluginHost.launch()
    await host.configure(config())
  }

  async function start(task: object & { id: string }): Promise<Message> {
    const { handle } = await driver('StartTask', { task })
    for (const key of readdirSync(join(stateDir, 'tasks'))) keys.add(key)
    return handle as Message
  }

  before(async function () {
    requires(this, 'root', 'linux', 'native')
    directory = temporaryDirectory('nomad')
    stateDir = join(directory, 'state')
    await relaunch()
  })
  after(async () => {
    await host?.kill()
    if (directory) removeTemporary(directory)
  })
  beforeEach(() => {
    allocation = new Allocation(directory)
  })
  afterEach(async () => {
    allocation.close()
    const records = existsSync(join(stateDir, 'nomad')) ? readdirSync(join(stateDir, 'nomad')) : []
    for (const file of records) {
      const { id } = JSON.parse(readFileSync(join(stateDir, 'nomad', file), 'utf8')) as { id: string }
      await driver('DestroyTask', { task_id: id, force: true })
    }
    await untilNoneLeft([...keys])
    keys.clear()
  })

  it('runs a task to its end, with its limits, its environment, its directories, and its logs in the FIFOs', async () => {
    const task = allocation.shell(
      'echo $GREETING; echo to stderr >&2; echo kept > /alloc/data/file; touch /local/x /secrets/x /tmp/x; ls /private; id -u; exit 7',
    )
    const handle = await start(task)
    assert.equal(handle.version, 1)
    assert.deepEqual((handle.config as Message).msgpack_driver_config, task.msgpack_driver_config)
    const { result, err } = await driver('WaitTask', byId(task))
    assert.deepEqual([result, err], [{ exit_code: 7, signal: 0, oom_killed: false }, ''])
    assert.equal(allocation.logged(), 'hello\n65534\n')
    assert.equal(allocation.logged('stderr'), 'to stderr\n')
    assert.equal(readFileSync(join(allocation.dir, 'alloc/data/file'), 'utf8'), 'kept\n')
    for (const part of ['local', 'secrets', 'tmp'])
      assert.ok(existsSync(join(allocation.dir, 't', part, 'x')))
  })

  it('shows a task the volumes and devices that the client lends, one inside the other in any order', async () => {
    const [outer, inner] = [join(allocation.dir, 'outer'), join(allocation.dir, 'inner')]
    for (const volume of [outer, inner]) {
      mkdirSync(join(volume, 'below'), { recursive: true })
      for (const path of [volume, join(volume, 'below')]) chmodSync(path, 0o777)
    }
    writeFileSync(join(inner, 'file'), 'inner\n')
    const task = allocation.shell(
      'cat /v/below/file; touch /v/below/x && echo written; touch /v/x 2>/dev/null || echo read-only; test -c /dev/full && echo device',
      {
        mounts: [
          { task_path: '/v/below', host_path: inner, propagation_mode: 'private' },
          { task_path: '/v', host_path: outer, readonly: true },
        ],
        devices: [{ task_path: '/dev/full', host_path: '/dev/full', cgroup_permissions: 'rwm' }],
      },
    )
    await start(task)
    await driver('WaitTask', byId(task))
    assert.equal(allocation.logged(), 'inner\nwritten\nread-only\ndevice\n')
    assert.ok(existsSync(join(inner, 'x')))
  })

  it("puts a task into the allocation's network namespace, with its name and its name servers", async () => {
    const namespace = join(directory, 'namespace')
    writeFileSync(namespace, '')
    execFileSync('unshare', [`--net=${namespace}`, 'true'])
    try {
      const task = allocation.shell(
        'readlink /proc/self/ns/net; hostname; grep 198.18 /etc/hosts; cat /etc/resolv.conf',
        {
          network_isolation_spec: {
            mode: 1,
            path: namespace,
            hostsConfig: { hostname: 'of-the-job', address: '198.18.0.7' },
          },
          dns: { servers: ['198.18.0.53'], searches: ['own.test'], options: ['ndots:2'] },
        },
      )
      await start(task)
      await driver('WaitTask', byId(task))
      assert.deepEqual(allocation.logged().split('\n'), [
        `net:[${statSync(namespace).ino}]`,
        'of-the-job',
        '198.18.0.7 of-the-job',
        'nameserver 198.18.0.53',
        'search own.test',
        'options ndots:2',
        '',
      ])
    } finally {
      execFileSync('umount', [namespace])
    }
  })

  it('tells a running task and one that has ended, each with all that the agent takes for granted', async () => {
    const task = allocation.shell('sleep 100')
    await start(task)
    const running = (await driver('InspectTask', byId(task))).task as Message
    assert.equal(running.state, 1)
    assert.deepEqual(running.completed_at, { seconds: -62_135_596_800, nanos: 0 })
    assert.deepEqual(running.result, { exit_code: 0, signal: 0, oom_killed: false })
    await driver('StopTask', { ...byId(task), timeout: { seconds: 20, nanos: 0 }, signal: 'sigterm' })
    const ended = (await driver('InspectTask', byId(task))).task as Message
    assert.equal(ended.state, 2)
    assert.deepEqual(ended.result, { exit_code: 143, signal: 15, oom_killed: false })
    assert.ok((ended.completed_at as { seconds: number }).seconds > 0)
  })

  it('kills a task that does not heed its signal, and answers every one of several waiters', async () => {
    const task = allocation.shell('trap "" INT; echo ready; sleep 100 & wait; sleep 100')
    await start(task)
    await until('the trap is set', () => allocation.logged().includes('ready'))
    const waiters = [driver('WaitTask', byId(task)), driver('WaitTask', byId(task))]
    await driver('StopTask', { ...byId(task), timeout: { seconds: 0, nanos: 200_000_000 }, signal: '' })
    for (const waiter of [...waiters, driver('WaitTask', byId(task))])
      assert.equal(((await waiter).result as Message).signal, 9)
    await driver('StopTask', { ...byId(task), timeout: null, signal: '' })
  })

  it('delivers signals, and refuses those that are none by name', async () => {
    const task = allocation.shell('trap "echo usr1; exit 5" USR1; echo ready; while :; do sleep 0.05; done')
    await start(task)
    await until('the task is ready', () => allocation.logged().includes('ready'))
    await assert.rejects(driver('SignalTask', { ...byId(task), signal: 'NOPE' }), {
      details: /^signal: got "NOPE", takes/,
    })
    await driver('SignalTask', { ...byId(task), signal: 'USR1' })
    assert.equal(((await driver('WaitTask', byId(task))).result as Message).exit_code, 5)
  })

  it('tells of a task killed for its memory, by the counter of its cgroup', async () => {
    const task = allocation.shell('tail /dev/zero')
    const events: Message[] = []
    const stream = host.client.stream('TaskEvents').on('data', event => events.push(event as Message))
    await start(task)
    const { result } = await driver('WaitTask', byId(task))
    assert.equal((result as Message).oom_killed, true)
    await until('the event has come', () =>
      events.some(({ message }) => String(message).includes('more memory')),
    )
    stream.cancel()
  })

  it('samples what a task uses until it has ended, and then ends the stream in order', async () => {
    const task = allocation.shell('while [ ! -e /local/go ]; do sleep 0.05; done')
    await start(task)
    const samples: Message[] = []
    const stream = host.client.stream('TaskStats', {
      ...byId(task),
      collection_interval: { seconds: 0, nanos: 200_000_000 },
    })
    stream.on('data', ({ stats }: Message) => samples.push(stats as Message))
    const end = new Promise(resolve => stream.on('end', resolve))
    const fields = () =>
      samples.map(({ agg_resource_usage: usage }) => ((usage as Message).memory as Message).measured_fields)
    await until('its memory is measured', () => fields().some(measured => (measured as number[]).includes(5)))
    writeFileSync(join(allocation.dir, 't/local/go'), '')
    await end
    for (const { timestamp, agg_resource_usage } of samples) assert.ok(timestamp && agg_resource_usage)
  })

  it('says of a start that cannot be why, whether it may be tried again, and leaves nothing', async () => {
    const bidirectional = {
      mounts: [{ task_path: '/v', host_path: '/etc', propagation_mode: 'bidirectional' }],
    }
    const renamed = { devices: [{ task_path: '/dev/x', host_path: '/dev/null', cgroup_permissions: 'rw' }] }
    const onlyRead = {
      devices: [{ task_path: '/dev/null', host_path: '/dev/null', cgroup_permissions: 'r' }],
    }
    for (const [config, message, more = {}] of [
      [{ command: '/no/such/program' }, /no\/such\/program/],
      [{ command: '/bin/true', limits: { pids: -3 } }, /^config\.limits\.pids: got -3, takes an integer/],
      [{ command: '/bin/true', nonsense: 1 }, /^config\.nonsense: no attribute of this name/],
      [{}, /^config\.command: got nothing, takes a program/],
      [{ command: '/bin/true', mount: [{ source: '/etc', target: '/x' }] }, /allow_mounts/],
      [{ command: '/bin/true', cap_add: ['NET_ADMIN'] }, /allow_capabilities/],
      [{ command: '/bin/true' }, /^volume_mount of \/v: propagation_mode "bidirectional"/, bidirectional],
      [{ command: '/bin/true' }, /^devices: \/dev\/null is to appear as \/dev\/x/, renamed],
      [{ command: '/bin/true' }, /^devices: \/dev\/null is to be had with "r" only/, onlyRead],
    ] as const) {
      const failure = await driver('StartTask', { task: allocation.task(config, more) }).catch(
        (error: ServiceError) => error,
      )
      assert.match((failure as ServiceError).details, message)
      assert.equal((failure as ServiceError).code, 9)
      const [bytes] = (failure as ServiceError).metadata.get('grpc-status-details-bin')
      const { details } = codec('google.rpc.Status').decode(bytes as Buffer)
      const [detail] = details as { type_url: string; value: Buffer }[]
      assert.match(detail?.type_url ?? '', /RecoverableError$/)
      const recoverable = codec('hashicorp.nomad.plugins.shared.structs.RecoverableError')
      assert.deepEqual(recoverable.decode(detail?.value ?? Buffer.alloc(0)), { recoverable: false })
    }
    await assert.rejects(driver('StartTask', { task: allocation.shell('true', { user: 'root' }) }), {
      details: /allow_root/,
    })
    assert.deepEqual(readdirSync(join(stateDir, 'tasks')), [])
    assert.deepEqual(readdirSync(join(stateDir, 'nomad')), [])
  })

  it('refuses to start what is started, and to destroy what runs, unless forced', async () => {
    const task = allocation.shell('sleep 100')
    await start(task)
    await assert.rejects(driver('StartTask', { task }), { details: /task id/ })
    await assert.rejects(driver('DestroyTask', byId(task)), { details: 'cannot destroy running task' })
    await driver('DestroyTask', { ...byId(task), force: true })
    await assert.rejects(driver('InspectTask', byId(task)), { details: 'task not found for given id' })
  })

  it('takes what is not there for stopped and destroyed, and says of anything else that it is not there', async () => {
    await driver('StopTask', { task_id: 'a/b/c', timeout: null, signal: '' })
    await driver('DestroyTask', { task_id: 'a/b/c', force: true })
    for (const method of ['WaitTask', 'InspectTask', 'SignalTask', 'ExecTask'])
      await assert.rejects(driver(method, { task_id: 'a/b/c' }), {
        code: 2,
        details: 'task not found for given id',
      })
    await assert.rejects(driver('CreateNetwork', {}), { details: /makes no networks/ })
  })

  describe('a command inside a task', () => {
    it('runs to its end, with all of its output where the agent looks for it', async () => {
      const task = allocation.shell('echo $$ > /local/pid; sleep 100')
      await start(task)
      const { stdout, result } = await driver('ExecTask', {
        ...byId(task),
        command: ['sh', '-c', 'echo $GREETING; echo err >&2; exit 3'],
        timeout: { seconds: 30, nanos: 0 },
      })
      assert.deepEqual([String(stdout), (result as Message).exit_code], ['hello\nerr\n', 3])
      const late = await driver('ExecTask', {
        ...byId(task),
        command: ['sleep', '100'],
        timeout: { seconds: 0, nanos: 300_000_000 },
      })
      assert.notEqual((late.result as Message).exit_code, 0)
    })

    it('says as much as it likes, of which the last part is kept', async () => {
      const task = allocation.shell('sleep 100')
      await start(task)
      const { stdout } = await driver('ExecTask', {
        ...byId(task),
        command: ['sh', '-c', 'head -c 1000000 /dev/zero | tr "\\0" x; echo over'],
        timeout: { seconds: 30, nanos: 0 },
      })
      const { length } = stdout as Buffer
      assert.ok(length > 60_000 && length <= 131_072 && String(stdout).endsWith('over\n'), `${length}`)
    })

    it('streams both ways, knows heartbeats, and passes the end of the input on', async () => {
      const task = allocation.shell('sleep 100')
      await start(task)
      const { stdout, last } = await conversation(['sh', '-c', 'cat; exit 6'], false, async stream => {
        stream.write({})
        for (let i = 0; i < 16; i++) stream.write({ stdin: { data: Buffer.alloc(65_536, 'x') } })
        stream.write({ stdin: { close: true } })
      })(task)
      assert.equal(stdout.length, 16 * 65_536)
      assert.deepEqual([last.exited, (last.result as Message).exit_code], [true, 6])
    })

    it('has a terminal of the size that it is told of', async () => {
      const task = allocation.shell('sleep 100')
      await start(task)
      const { stdout, last } = await conversation(
        ['sh', '-c', 'trap "stty size; exit 4" WINCH; stty size; while :; do sleep 0.05; done'],
        true,
        async (stream, shown) => {
          await until('it has shown its size', () => shown().includes('24 80'))
          stream.write({ tty_size: { height: 12, width: 34 } })
        },
      )(task)
      assert.match(String(stdout), /\r\n12 34\r\n$/)
      assert.equal((last.result as Message).exit_code, 4)
    })

    it('ends when whoever asked for it goes', async () => {
      const task = allocation.shell('sleep 100')
      await start(task)
      const stream = host.client.duplex('ExecTaskStreaming').on('error', () => {})
      stream.write({ setup: { ...byId(task), command: ['sh', '-c', 'echo up; sleep 100'], tty: false } })
      await new Promise(resolve => stream.once('data', resolve))
      const sessions = () => readdirSync(join(stateDir, 'tasks')).length
      assert.equal(sessions(), 2)
      stream.cancel()
      await until('the command is gone', () => sessions() === 1)
    })

    function conversation(
      command: readonly string[],
      tty: boolean,
      talk: (stream: ReturnType<PluginClient['duplex']>, shown: () => string) => Promise<void>,
    ) {
      return async (task: { id: string }): Promise<{ stdout: Buffer; last: Message }> => {
        const stream = host.client.duplex('ExecTaskStreaming')
        const answers: Message[] = []
        const shown = () =>
          Buffer.concat(
            answers.map(({ stdout }) => ((stdout as Message | null)?.data as Buffer) ?? Buffer.alloc(0)),
          )
        stream.on('data', answer => answers.push(answer as Message))
        const end = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject))
        stream.write({ setup: { ...byId(task), command, tty } })
        await talk(stream, () => String(shown()))
        await end
        stream.end()
        return { stdout: shown(), last: answers.at(-1) ?? {} }
      }
    }
  })

  describe('a plugin that ends', () => {
    it('leaves its tasks running when it is killed; the next one adopts them, and starts none again', async () => {
      const task = allocation.shell(
        'trap "exit 9" TERM; echo started >> /alloc/data/starts; while :; do sleep 0.05; done',
      )
      const handle = await start(task)
      await until('it has started', () => existsSync(join(allocation.dir, 'alloc/data/starts')))
      await host.kill()
      await relaunch()
      await driver('RecoverTask', { handle })
      await driver('RecoverTask', { handle })
      const wait = driver('WaitTask', byId(task))
      await driver('StopTask', { ...byId(task), timeout: { seconds: 20, nanos: 0 }, signal: 'TERM' })
      assert.equal(((await wait).result as Message).exit_code, 9)
      assert.equal(readFileSync(join(allocation.dir, 'alloc/data/starts'), 'utf8'), 'started\n')
    })

    it('is told by its successor how a task has ended that ended meanwhile', async () => {
      const task = allocation.shell('while [ ! -e /local/go ]; do sleep 0.05; done; exit 3')
      const handle = await start(task)
      await host.kill()
      writeFileSync(join(allocation.dir, 't/local/go'), '')
      const [key = ''] = readdirSync(join(stateDir, 'tasks'))
      await until('the task has ended', () => existsSync(join(stateDir, 'tasks', key, 'exit.json')))
      await relaunch()
      await driver('RecoverTask', { handle })
      assert.equal(((await driver('WaitTask', byId(task))).result as Message).exit_code, 3)
    })

    it('lets a start of which the agent has never heard be followed by another, but never beside it', async () => {
      const first = allocation.shell('sleep 100')
      await start(first)
      const [earlier] = readdirSync(join(stateDir, 'tasks'))
      await host.kill()
      await relaunch()
      const second = allocation.shell('sleep 100')
      await start(second)
      const now = readdirSync(join(stateDir, 'tasks'))
      assert.equal(now.length, 1)
      assert.notEqual(now[0], earlier)
    })

    it('is answered an error where nothing is known of a task, and can have it destroyed all the same', async () => {
      const task = allocation.shell('sleep 100')
      const handle = await start(task)
      await driver('DestroyTask', { ...byId(task), force: true })
      await assert.rejects(driver('RecoverTask', { handle }), { details: 'task not found for given id' })
      await assert.rejects(driver('RecoverTask', { handle: { ...handle, version: 7 } }), {
        details: /version 7/,
      })
      await assert.rejects(driver('RecoverTask', {}), { details: /without a handle/ })
    })

    it('ends within a second when its agent does, without a word to those who wait, and its tasks go on', async () => {
      const task = allocation.shell('sleep 100')
      const handle = await start(task)
      const wait = driver('WaitTask', byId(task)).then(
        () => 'answered',
        (error: ServiceError) => error.code,
      )
      const exit = new Promise<number | null>(resolve => host.process.once('exit', code => resolve(code)))
      await driver('Shutdown')
      await host.client.call('controller', 'Shutdown')
      assert.equal(await exit, 0)
      assert.ok([1, 14].includes(Number(await wait)), 'cancelled or unavailable')
      assert.equal(existsSync(host.socket), false)
      await relaunch()
      await driver('RecoverTask', { handle })
      assert.equal(((await driver('InspectTask', byId(task))).task as Message).state, 1)
    })

    it('survives the death of its agent and a SIGINT, and serves the next agent that connects', async () => {
      const task = allocation.shell('sleep 100')
      const handle = await start(task)
      host.process.stdout?.destroy()
      host.process.stderr?.destroy()
      host.process.kill('SIGINT')
      const next = new PluginClient(host.socket)
      try {
        for (let tries = 0; tries < 3; tries++) await next.driver('RecoverTask', { handle })
        assert.equal(((await next.driver('InspectTask', byId(task))).task as Message).state, 1)
      } finally {
        next.close()
      }
    })
  })
})
