import assert from 'node:assert/strict'
import { encode } from '@msgpack/msgpack'
import type { HostReport } from '../../src/index.ts'
import { readAgentConfig } from '../../src/nomad/config/agent-config.ts'
import { fromMsgpack } from '../../src/nomad/config/msgpack.ts'
import { readTaskOptions } from '../../src/nomad/config/task-config.ts'
import { fingerprintOf } from '../../src/nomad/driver/health.ts'
import { taskLimits } from '../../src/nomad/tasks/resources.ts'
import { parseSignal } from '../../src/nomad/tasks/signals.ts'
import type { TaskConfig } from '../../src/nomad/wire/task-messages.ts'

const options = (more: object = {}) => readTaskOptions({ command: 'x', ...more })

describe("a Nomad job's configuration", () => {
  it('may leave out everything but the command: Nomad then sends nil', () => {
    const { args, limits, mount } = options({ args: null, limits: null, mount: [], work_dir: null })
    assert.deepEqual([args, limits.pids, mount], [[], null, []])
  })

  it('takes a number that came as text, and refuses one that is none by its name', () => {
    assert.equal(options({ limits: { pids: '12' } }).limits.pids, 12)
    for (const pids of ['0.1', '', 1.5, Number.MAX_VALUE, true])
      assert.throws(() => options({ limits: { pids } }), {
        message: /^config\.limits\.pids: got .*, takes an integer/,
      })
    assert.throws(() => options({ mount: [{ source: '/a', target: '/b/../c' }] }), {
      message: /^config\.mount\[0\]\.target/,
    })
    assert.throws(() => options({ args: ['a', 1] }), { message: /^config\.args\[1\]: got 1/ })
    assert.throws(() => readTaskOptions(7), { message: /^config: got 7, takes an object/ })
  })

  it('names an agent by an address that is nothing else, and its certificates only with TLS', () => {
    const agent = (block: object) => readAgentConfig({ agent: block }).agent
    assert.equal(readAgentConfig({}).agent, null)
    assert.equal(agent({ address: null, token_file: null })?.address, 'http://127.0.0.1:4646')
    for (const address of ['http://[::1]:4646', 'https://nomad.example', 'unix:///run/nomad.sock'])
      assert.equal(agent({ address })?.address, address)
    for (const address of [
      ...['127.0.0.1:4646', 'ftp://a:1', 'unix://run/nomad.sock', 'http://', 'http://a:99999', 'http://a:b'],
      ...[
        'http://user:secret@a:1',
        'http://a:1/v1',
        'http://a:1?namespace=x',
        'http://a b',
        'http://a\n',
        '',
      ],
    ])
      assert.throws(() => agent({ address }), {
        message: /^plugin config\.agent\.address: got .*, takes "http:/,
      })
    const tls = { cert_file: '/c', key_file: '/k' }
    assert.deepEqual(
      { ...agent({ address: 'https://a:1', ...tls }) },
      {
        ...{
          address: 'https://a:1',
          token_file: null,
          ca_file: null,
          tls_server_name: null,
          timeout: 2,
          ...tls,
        },
      },
    )
    for (const [block, message] of [
      [
        { address: 'http://a:1', ca_file: '/c' },
        /agent\.address: got "http:.*takes "https:.*beside ca_file$/,
      ],
      [tls, /agent\.address: got "http:.*beside cert_file$/],
      [{ address: 'https://a:1', cert_file: '/c' }, /agent\.key_file: got nothing, takes an absolute path/],
      [{ address: 'https://a:1', key_file: '/k' }, /agent\.cert_file: got nothing, takes an absolute path/],
      [{ timeout: 61 }, /agent\.timeout: got 61, takes an integer from 1 to 60 \(seconds\)$/],
      [{ token_file: 'token' }, /agent\.token_file: got "token", takes an absolute path$/],
    ] as const)
      assert.throws(() => agent(block), { message })
  })

  it('is empty where there are no bytes, and refused where they are no msgpack', () => {
    assert.deepEqual(readAgentConfig(fromMsgpack(Buffer.alloc(0), 'x')).enabled, true)
    assert.deepEqual(fromMsgpack(Buffer.from(encode({ a: [1] })), 'x'), { a: [1] })
    assert.throws(() => fromMsgpack(Buffer.from([0x92, 1]), 'plugin config'), {
      message: /^plugin config is not msgpack/,
    })
  })
})

describe("Nomad's resources as limits", () => {
  const limits = (memory: object, linux: object = {}, more: object = {}) =>
    taskLimits(
      {
        resources: {
          allocated_resources: { memory: { memory_mb: 100, memory_max_mb: 0, ...memory } },
          linux_resources: {
            cpu_shares: 500,
            cpuset_cpus: '',
            PercentTicks: 0.25,
            cpuset_cgroup: '',
            ...linux,
          },
        },
      } as unknown as TaskConfig,
      options(more),
      { cores: 4, pids: 10 },
    )

  it('have memory_max as the limit and memory as what is protected', () => {
    assert.deepEqual(limits({}), { cpu: 500, memoryMB: 100, pids: 10 })
    assert.deepEqual(limits({ memory_max_mb: 200 }), {
      cpu: 500,
      memoryMB: 200,
      memoryReserveBytes: 104_857_600,
      pids: 10,
    })
    assert.deepEqual(limits({ memory_max_mb: -1 }), { cpu: 500, memoryReserveBytes: 104_857_600, pids: 10 })
  })

  it('have processors, a hard limit and the job’s own', () => {
    assert.equal(limits({}, { cpuset_cpus: '1-2' }).cpuset, '1-2')
    assert.equal(limits({}, {}, { cpu_hard_limit: true }).cpuLimit, 1)
    assert.deepEqual(limits({}, {}, { limits: { pids: 3, nofile: 64, swap_mb: 1 } }), {
      ...{ cpu: 500, memoryMB: 100, swapBytes: 1_048_576, pids: 3 },
      rlimits: { nofile: 64 },
    })
    assert.equal(limits({}, { cpu_shares: 1 }).cpu, 2)
    assert.equal(limits({}, { cpu_shares: 999_999 }).cpu, 262_144)
  })
})

type DefaultRun = HostReport['defaultRun']

describe('the health of a node', () => {
  const row = (name: string, status: 'yes' | 'no') => ({
    name,
    status,
    why: 'because',
    hint: status === 'no' ? 'mend it' : null,
  })
  const started = { platform: 'linux', refused: null, weakened: [], enforcement: [] } as const
  const health = (rows: ReturnType<typeof row>[], config: object = {}, defaultRun: DefaultRun = started) =>
    fingerprintOf(
      { rows, mode: { cgroup: 'v2', systemd: null, isolation: 'root' }, defaultRun },
      readAgentConfig(config),
    )

  it('is bad where every start would be refused, however little the node is content with', () => {
    const refused = { why: 'it has not been built', hint: 'build it' }
    const found = health(
      [row('kernel', 'yes'), row('native', 'no')],
      { allow_weakened: true },
      { ...started, refused },
    )
    assert.deepEqual(
      [found.health, found.health_description],
      [1, 'no task can be started: it has not been built (build it)'],
    )
  })

  it('is good only where everything that a task gets by default is enforced', () => {
    assert.deepEqual(health([row('kernel', 'yes'), row('cgroup.io', 'no'), row('overlay', 'no')]).health, 2)
    const { health: unhealthy, health_description } = health([
      row('kernel', 'yes'),
      row('cgroup.memory', 'no'),
    ])
    assert.deepEqual(
      [unhealthy, health_description],
      [1, 'not everything can be enforced: cgroup.memory: because (mend it)'],
    )
  })

  it('is no worse where a second wall stands in part, which strict passes, and where a disk cannot be bounded', () => {
    const isolation = (name: string, more: object) => {
      const about = { name, kind: 'isolation', requested: '', reason: 'because', hint: null } as const
      return { ...about, status: 'weakened', chosen: true, ...more } as const
    }
    const rows = [row('kernel', 'yes'), row('disk', 'no'), row('landlock', 'no')]
    const run = { ...started, enforcement: [isolation('landlock', {})] }
    assert.equal(health(rows, {}, run).health, 2)
    assert.equal(health(rows, {}, { ...run, weakened: run.enforcement }).health, 1)
    assert.equal(health([...rows, row('network', 'no')], {}, run).health, 1)
    const network = { ...run, enforcement: [...run.enforcement, isolation('network', { status: 'skipped' })] }
    assert.equal(health([...rows, row('network', 'no')], {}, network).health, 1)
  })

  it('says what is missing also where that is allowed, and is not there where it cannot be', () => {
    const weak = health([row('kernel', 'yes'), row('seccomp', 'no')], { allow_weakened: true })
    assert.equal(weak.health, 2)
    assert.match(weak.health_description, /^weakened: seccomp/)
    assert.equal(health([row('kernel', 'no')]).health, 0)
    assert.equal(health([], { enabled: false }).health, 0)
  })
})

describe('a signal as jobs spell it', () => {
  it('has SIG or not, in any case, or is a number', () => {
    for (const text of ['SIGHUP', 'hup', 'sighup', '1']) assert.equal(parseSignal(text), 'SIGHUP')
    for (const text of ['', 'DETACH', '0', '99', 'toString'])
      assert.throws(() => parseSignal(text), { message: /^signal: got .*, takes the name of a signal/ })
  })
})
