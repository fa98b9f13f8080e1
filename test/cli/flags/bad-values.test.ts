import { strict as assert } from 'node:assert'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { holdfast } from '../../../src/cli/program.ts'
import { CliBench } from '../../support/cli-bench.ts'
import { requires } from '../../support/requires.ts'
import { failureCode, onTasks } from '../commands/task-words.ts'

const size = 'takes a size such as 64M, 1G, 512K or whole bytes'
const time = 'takes a time such as 500ms, 5s, 2m or 1h'
const count = 'takes a whole number, 0 or more'
const long = 'x'.repeat(300)

type Bad = readonly (readonly [value: string, said: string])[]

/** What each flag that takes a value is given in vain, and what it says of that behind its name. */
const refused: Readonly<Record<string, Bad>> = {
  '--name': [
    ['', 'got "", takes a name of 1 to 128 bytes'],
    ['a/b', 'got "a/b", takes a name'],
    ['..', 'got "..", takes a name'],
    [long, 'got "xxx'],
    ['a\x1bb', 'got "a\\u001bb", takes a name'],
  ],
  '--env': [
    ['', 'a variable has no name'],
    ['=value', 'a variable has no name'],
    ['HOLDFAST_NO_SUCH', '"HOLDFAST_NO_SUCH" is not set here'],
  ],
  '--env-file': [
    ['/no/such/file', '"/no/such/file" cannot be read: ENOENT: no such file or directory\n'],
    ['/', '"/" cannot be read: EISDIR: illegal operation on a directory\n'],
  ],
  '--secret': [
    ['', 'a secret has no name'],
    ['=/etc/passwd', 'a secret has no name'],
    ['HOLDFAST_NO_SUCH', '"HOLDFAST_NO_SUCH" is not set here'],
    ['a=/no/such/file', '"/no/such/file" cannot be read: ENOENT: no such file or directory\n'],
    ['a/b=/etc/passwd', 'got "a/b", takes a file name'],
  ],
  '--label': [
    ['', 'got "", takes NAME=VALUE'],
    ['=web', 'got "=web", takes NAME=VALUE'],
  ],
  '--cwd': [
    ['.', 'got ".", takes an absolute path'],
    ['', 'got "", takes an absolute path'],
  ],
  '--workspace': [
    ['', 'got "", takes DIR or DIR:ro'],
    [':ro', 'got ":ro", takes DIR or DIR:ro'],
    ['/no/such/directory', '/no/such/directory does not exist\n'],
  ],
  '--cpu': [
    ['1', 'got 1, takes an integer >= 2'],
    ['half', `got "half", ${count}`],
  ],
  '--cpus': [
    ['0', 'got 0, takes a number of cores >= 0.01'],
    ['1e3', 'got "1e3", takes a number of cores'],
    ['-1', 'got "-1", takes a number of cores'],
  ],
  '--cpu-policy': [['fifo', 'got "fifo", takes other or batch or idle']],
  '--cpuset': [
    ['', 'got "", takes a list of processors'],
    ['3-1', 'got "3-1", takes a list of processors'],
    ['all', 'got "all", takes a list of processors'],
  ],
  '--memory': [
    ['1K', 'got 1024, takes an integer >= 1048576'],
    ['64MB', `got "64MB", ${size}`],
    [long, `got "${'x'.repeat(79)}... (302 characters), ${size}`],
  ],
  '--disk': [
    ['1K', 'got 1024, takes an integer >= 1048576'],
    ['64MB', `got "64MB", ${size}`],
  ],
  '--max-file': [
    ['0', 'got 0, takes a size from 1 to 8M'],
    ['9M', 'got 9437184, takes a size from 1 to 8M'],
    ['64MB', `got "64MB", ${size}`],
  ],
  '--oom': [['all', 'got "all", takes task or process']],
  '--pids': [
    ['0', 'got 0, takes an integer >= 1'],
    ['many', `got "many", ${count}`],
  ],
  '--timeout': [
    ['0s', 'got 0, takes an integer >= 1'],
    ['5', `got "5", ${time}`],
  ],
  // To wait for nothing is to look.
  'wait --timeout': [
    ['5', `got "5", ${time}`],
    ['', `got "", ${time}`],
  ],
  '--max-output': [
    ['0', 'got 0, takes an integer >= 1'],
    ['some', `got "some", ${size}`],
  ],
  '--ulimit': [
    ['nofile', 'got "nofile", takes NAME=SOFT or NAME=SOFT:HARD'],
    ['bogus=1', 'got 1, takes no field of this name; known are as, core, '],
    ['nofile=2:1', 'got '],
  ],
  '--user': [
    ['', 'got "", takes USER or USER:GROUP'],
    ['a:b:c', 'got "a:b:c", takes USER or USER:GROUP'],
  ],
  '--group': [['', 'got "", takes a name without ":"']],
  '--network': [['lan', 'got "lan", takes host or none']],
  '--allow': [
    ['', 'got "", takes "host:port"'],
    ['http://example.com', 'got "http://example.com", takes "host:port"'],
    ['example.com:0', 'got "example.com:0", takes "host:port"'],
  ],
  '--hostname': [
    ['', 'got "", takes 1 to 64 letters'],
    ['a b', 'got "a b", takes 1 to 64 letters'],
  ],
  '--mount': [
    ['', 'got "", takes SRC[:DST][:ro]'],
    ['/srv:www', 'got "/srv:www", takes SRC[:DST][:ro]'],
    ['/no/such/directory', '/no/such/directory does not exist\n'],
  ],
  '--tmpfs': [
    ['scratch', 'got "scratch", takes DST or DST:SIZE'],
    ['/scratch:much', `got "much", ${size}`],
    ['/scratch:0', 'got 0, takes an integer >= 1'],
    ['/', 'got "/", takes an absolute path other than "/"'],
  ],
  '--cap-add': [
    ['', 'got "CAP_", takes a Linux capability'],
    ['fly', 'got "CAP_FLY", takes a Linux capability'],
  ],
  '--seccomp': [['none', 'got "none", takes default or off']],
  '--log-max-size': [
    ['100', 'got 100, takes an integer >= 4096'],
    ['much', `got "much", ${size}`],
  ],
  '--log-max-files': [
    ['1', 'got 1, takes '],
    ['few', `got "few", ${count}`],
  ],
  '--result': [
    ['/no/such/directory/x', '"/no/such/directory/x" cannot be written: ENOENT: no such file or directory\n'],
    ['/', '"/" cannot be written: E'],
  ],
  '--state-dir': [['', 'got "", takes the path of a directory']],
  '--signal': [
    ['TREM', 'got "TREM", takes a signal\'s name or number'],
    ['0', 'got "0", takes a signal\'s name or number'],
  ],
  '--grace': [['5', `got "5", ${time}`]],
  '--target': [['all', 'got "all", takes group or leader']],
  '--tail': [['-1', `got "-1", ${count}`]],
  '--since': [
    ['noon', 'got "noon", takes a time such as 10m (ago) or 2026-01-31T12:00:00Z'],
    ['2026-13-01', 'got "2026-13-01", takes a time'],
  ],
  '--older': [['5', `got "5", ${time}`]],
  '--keep': [['few', `got "few", ${count}`]],
  '--filter': [
    ['status=running', 'got "status=running", takes label=NAME'],
    ['state=dead', 'got "state=dead", takes label=NAME'],
  ],
  '--port': [
    ['65536', 'got "65536", takes a port, 0 to 65535'],
    ['http', 'got "http", takes a port, 0 to 65535'],
  ],
  '--host': [
    ['0.0.0.0', 'got "0.0.0.0", takes a loopback address'],
    ['example.com', 'got "example.com", takes a loopback address'],
  ],
  '--format': [['png', 'got "png", takes "mermaid", "json" or "svg"']],
  '--agent': [['/no/such/file', '"/no/such/file" cannot be read: ENOENT: no such file or directory\n']],
  '--var': [['tag', 'got "tag", takes NAME=VALUE']],
  '--install': [['/no/such/dir', '"/no/such/dir" cannot be written: ENOENT: no such file or directory\n']],
}

/** What else is typed so that it comes to this flag. */
const beside: Readonly<Record<string, readonly string[]>> = {
  '--log-max-files': ['--log-max-size', '1M'],
  'update --state-dir': ['--pids', '5'],
}
/** They say nothing of tasks that are recorded. */
const stateless = new Set(['graph', 'doctor', 'nomad-driver', 'nomad-check', 'completion'])
/** Only where there is a wall to be built does it come to this. */
const isolated = new Set([
  '--allow',
  '--mount',
  '--workspace',
  '--tmpfs',
  '--cap-add',
  '--hostname',
  '--secret',
])

describe('the values of every flag', function () {
  this.timeout(120_000)

  let bench: CliBench
  let key: string
  before(async () => {
    bench = new CliBench()
    key = await bench.detached('web', ['sleep', '1000'])
  })
  after(() => bench.dispose())

  for (const command of holdfast().commands)
    for (const option of command.options) {
      const [name, flag] = [command.name(), option.long ?? '']
      if (!option.required || (flag === '--state-dir' && stateless.has(name))) continue
      const code = failureCode(name)
      const basic = name === 'run' && !isolated.has(flag) ? ['--basic'] : []
      const flags = [...basic, ...(beside[flag] ?? beside[`${name} ${flag}`] ?? [])]
      const operands = (): string[] => [
        ...(onTasks.some(one => one.name() === name) ? [key] : []),
        ...(['run', 'exec'].includes(name) ? ['true'] : []),
        ...(name === 'nomad-check' ? ['test/nomad/jobs/periodic.nomad.hcl'] : []),
      ]

      it(`${name} ${flag}: a bad one is refused with ${code}, by a message with the flag and the value`, async function () {
        const rows = refused[`${name} ${flag}`] ?? refused[flag] ?? assert.fail(`no bad value of ${flag}`)
        if (isolated.has(flag)) requires(this, 'linux', 'native', 'isolation')
        const before = readdirSync(join(bench.stateDir, 'tasks'))
        for (const [value, said] of rows) {
          const words = [name, ...flags, flag, value, ...operands()]
          const ended = await bench.say(words)
          assert.deepEqual([ended.code, ended.stdout], [code, ''], ended.stderr)
          // Of a name within the flag as well: `--ulimit bogus: ...`.
          const [, rest = ''] =
            new RegExp(`^holdfast: ${flag}(?: \\w+)?: (.*)$`, 's').exec(ended.stderr) ?? []
          assert.ok(rest.startsWith(said), `${JSON.stringify(said)}: ${ended.stderr}`)
        }
        assert.deepEqual(readdirSync(join(bench.stateDir, 'tasks')), before)
      })
    }

  it('have rows for flags that there are', () => {
    const flags = holdfast().commands.flatMap(command =>
      command.options.flatMap(({ long }) => [long ?? '', `${command.name()} ${long ?? ''}`]),
    )
    assert.deepEqual(
      Object.keys(refused).filter(flag => !flags.includes(flag)),
      [],
    )
  })
})
