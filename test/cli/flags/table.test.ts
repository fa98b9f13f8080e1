import { strict as assert } from 'node:assert'
import { refuseContradictions } from '../../../src/cli/flags/contradictions.ts'
import { longName, type Taker } from '../../../src/cli/flags/flag.ts'
import { namingFlags } from '../../../src/cli/flags/naming.ts'
import { askedFor } from '../../../src/cli/flags/options.ts'
import { flagTable } from '../../../src/cli/flags/table.ts'
import { holdfast as program } from '../../../src/cli/program.ts'
import { HoldfastError } from '../../../src/index.ts'

const rows = flagTable.flatMap(({ flags }) => flags)
const takers: readonly Taker[] = ['run', 'exec', 'update']

/** What is typed after each flag that sets a field, and what is then asked for. */
const samples: Readonly<Record<string, readonly [typed: readonly string[], asked: object]>> = {
  '--env': [['--env', 'A=1', '-e', 'B=2'], { command: { env: { A: '1', B: '2' } } }],
  '--label': [['--label', 'app=web', '--label', 'x='], { command: { labels: { app: 'web', x: '' } } }],
  '--cwd': [['--cwd', '/srv'], { command: { cwd: '/srv' } }],
  '--workspace': [['-w', '/srv/app'], { command: { workspace: '/srv/app' } }],
  '--overlay': [
    ['-w', '/srv/app', '--overlay'],
    { command: { workspace: { path: '/srv/app', overlay: true } } },
  ],
  '--interpolate': [['--interpolate'], { command: { interpolate: true } }],
  '--interactive': [['-i'], { command: { stdin: process.stdin } }],
  '--cpu': [['--cpu', '512'], { resources: { cpu: 512 } }],
  '--cpus': [['--cpus', '0.5'], { resources: { cpuLimit: 0.5 } }],
  '--cpu-policy': [['--cpu-policy', 'idle'], { command: { cpuPolicy: 'idle' } }],
  '--cpuset': [['--cpuset', '0-1'], { resources: { cpuset: '0-1' } }],
  '--memory': [['--memory', '64M'], { resources: { memoryBytes: 64 * 1024 ** 2 } }],
  '--oom': [['--oom', 'process'], { resources: { oom: 'process' } }],
  '--pids': [['--pids', '32'], { resources: { pids: 32 } }],
  '--timeout': [['--timeout', '2m'], { resources: { wallTimeMs: 120_000 } }],
  '--disk': [['--disk', '64M'], { resources: { diskBytes: 64 * 1024 ** 2 } }],
  '--max-output': [['--max-output', '1K'], { resources: { outputBytes: 1024 } }],
  '--ulimit': [
    ['--ulimit', 'nofile=1024', '--ulimit', 'core=0:1'],
    { resources: { rlimits: { nofile: 1024, core: [0, 1] } } },
  ],
  '--user': [['--user', 'web:www'], { command: { user: 'web', group: 'www' } }],
  '--group': [['--user', 'web:www', '--group', 'adm'], { command: { user: 'web', group: 'adm' } }],
  '--network': [['--network', 'none'], { command: { network: 'none' } }],
  '--allow': [
    ['--allow', 'example.com', '--allow', '10.0.0.0/8:5432'],
    { command: { network: { allow: ['example.com', '10.0.0.0/8:5432'] } } },
  ],
  '--hostname': [['--hostname', 'web'], { command: { hostname: 'web' } }],
  '--mount': [
    ['--mount', '/a', '--mount', '/b:/c:ro'],
    {
      command: {
        mounts: [
          { source: '/a', target: '/a', readOnly: false },
          { source: '/b', target: '/c', readOnly: true },
        ],
      },
    },
  ],
  '--tmpfs': [['--tmpfs', '/t:1M'], { command: { tmpfs: [{ target: '/t', sizeBytes: 1024 ** 2 }] } }],
  '--cap-add': [['--cap-add', 'chown'], { command: { capabilities: ['CAP_CHOWN'] } }],
  '--seccomp': [['--seccomp', 'off'], { command: { seccomp: 'off' } }],
  '--log-max-size': [['--log-max-size', '1M'], { command: { logs: { maxBytes: 1024 ** 2, maxFiles: 5 } } }],
  '--log-max-files': [
    ['--log-max-files', '3', '--log-max-size', '1M'],
    { command: { logs: { maxBytes: 1024 ** 2, maxFiles: 3 } } },
  ],
}

/** What the library is asked for when this is typed after a command. */
function asked(taker: Taker, typed: readonly string[]): object {
  const command = program().commands.find(each => each.name() === taker)
  assert.ok(command)
  const { operands, unknown } = command.parseOptions([...typed])
  assert.deepEqual([operands, unknown], [[], []])
  return askedFor(command.opts())
}

describe('the table of flags', () => {
  for (const row of rows) {
    const name = longName(row)
    const taking = takers.filter(taker => row.help[taker] !== undefined)

    it(`${name} is an option of ${taking.join(', ')}, with a help text`, () => {
      assert.notDeepEqual(taking, [])
      for (const taker of takers) {
        const command = program().commands.find(each => each.name() === taker)
        const option = command?.options.find(({ long }) => long === name)
        assert.equal(option?.description, row.help[taker])
      }
    })

    if (row.sets !== undefined)
      it(`${name} sets ${row.sets.field}, and nothing when it is not given`, () => {
        const [typed, sets] = samples[name] ?? assert.fail(`no sample of ${name}`)
        for (const taker of taking.includes('run') ? (['run'] as const) : taking) {
          assert.deepEqual(asked(taker, typed), { command: {}, resources: {}, ...sets })
          assert.deepEqual(asked(taker, []), { command: {}, resources: {} })
        }
      })
  }

  it('a flag stands in it once', () => {
    const names = rows.map(longName)
    assert.deepEqual([...new Set(names)], names)
  })

  it('what nobody stays for is refused, of run and of exec', () => {
    for (const flag of ['rm', 'result'])
      assert.throws(() => refuseContradictions({ detach: true, [flag]: true }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`^--${flag} cannot go with --detach: nobody stays`),
      })
    refuseContradictions({ detach: true, quiet: true, interactive: true, tty: true, json: true })
  })

  it('a number of log files without their size is refused', () => {
    assert.throws(() => asked('run', ['--log-max-files', '3']), {
      code: 'INVALID_ARGUMENT',
      message: /^--log-max-files needs --log-max-size/,
    })
  })

  it('what the library refuses of a field is told by the names of the flags that set it', async () => {
    const refusal = (field: string) =>
      namingFlags(() => Promise.reject(new HoldfastError('INVALID_ARGUMENT', `${field}: got it`)))
    for (const row of rows) {
      if (row.sets === undefined) continue
      await assert.rejects(refusal(row.sets.field), ({ message }: Error) => {
        assert.ok(message.endsWith(': got it') && message.includes(longName(row)), message)
        return true
      })
    }
    await assert.rejects(refusal('command.logs'), { message: '--log-max-size and --log-max-files: got it' })
  })
})
