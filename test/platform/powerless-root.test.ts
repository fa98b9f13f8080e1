import assert from 'node:assert/strict'
import { execa } from 'execa'
import type { Enforcement } from '../../src/index.ts'
import { packageRoot } from '../../src/spawn/native-program.ts'
import { compiled } from '../support/compiled.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** What root is left with, by the bounding set that setpriv(1) gives it, and what its tasks get of it. */
const kinds = [
  { bounding: '-sys_admin', uid: '65534', root: 'enforced', user: 'enforced', pid: 'enforced' },
  { bounding: '-mknod', uid: '65534', root: 'enforced', user: 'enforced', pid: 'enforced' },
  { bounding: '-kill,-sys_admin', uid: '0', root: 'enforced', user: 'weakened', pid: 'enforced' },
  { bounding: '-setuid,-setgid', uid: '0', root: 'enforced', user: 'weakened', pid: 'enforced' },
  { bounding: '-setfcap,-sys_admin', uid: '65534', root: 'weakened', user: 'enforced', pid: 'skipped' },
  { bounding: '-all', uid: '65534', root: 'weakened', user: 'weakened', pid: 'enforced' },
] as const

const script = 'id -u; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; sleep 600 & exit 4'
const nothing = 'CapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n'

describe('root without all of its power', function () {
  this.timeout(60_000)
  let state: string

  before(function () {
    requires(this, 'root', 'linux', 'native', 'ordinary-user')
  })
  beforeEach(() => {
    state = temporaryDirectory('powerless')
  })
  afterEach(() => removeTemporary(state))

  async function holdfast(bounding: string, ...args: string[]) {
    const program = [process.execPath, compiled('src/cli/main.ts')]
    const line = [`--bounding-set=${bounding}`, ...program, '--state-dir', state, ...args]
    const env = { PATH: process.env.PATH, HOME: state }
    return execa('setpriv', line, { cwd: packageRoot, reject: false, extendEnv: false, env })
  }

  for (const { bounding, uid, ...expected } of kinds)
    it(`takes what there is with ${bounding}: ${JSON.stringify(expected)}; a task has none of what is left`, async () => {
      const { exitCode, stdout, stderr } = await holdfast(bounding, 'run', '--json', '--', 'sh', '-c', script)
      assert.equal(exitCode, 4, stderr)
      const { enforcement } = JSON.parse(stdout) as { enforcement: Enforcement[] }
      const row = (name: string) => enforcement.find(found => found.name === name)
      for (const name of ['root', 'user', 'namespace.pid']) {
        assert.equal(row(name)?.status, expected[name.replace('namespace.', '') as 'root'], name)
        if (row(name)?.status !== 'enforced') assert.match(row(name)?.hint ?? '', /give root /, name)
      }
      for (const name of ['capabilities', 'noNewPrivileges', 'seccomp'])
        assert.equal(row(name)?.status, 'enforced', name)
      const logs = await holdfast(bounding, 'logs', 'sh')
      assert.equal(`${logs.stdout}\n`, `${uid}\n${nothing}`)
      const removed = await holdfast(bounding, 'rm', 'sh')
      assert.equal(removed.exitCode, 0, removed.stderr)
    })

  it('can do without, and is not what it was: the control is root with all of it', async () => {
    const { exitCode, stdout, stderr } = await holdfast('+all', 'run', '--json', '--', 'true')
    assert.equal(exitCode, 0, stderr)
    const { enforcement } = JSON.parse(stdout) as { enforcement: Enforcement[] }
    assert.equal(
      enforcement.some(({ name }) => name === 'namespace.user'),
      false,
    )
  })

  for (const bounding of ['-sys_admin', '-mknod'])
    it(`runs a second command inside such a task with ${bounding}, with its namespaces and its user`, async () => {
      const started = await holdfast(bounding, 'run', '--detach', '--name', 'long', '--', 'sleep', '600')
      assert.equal(started.exitCode, 0, started.stderr)
      try {
        const inside = await holdfast(
          bounding,
          'exec',
          'long',
          '--',
          'sh',
          '-c',
          'id -u; ps -e | grep -c sleep || ls /proc',
        )
        assert.equal(inside.exitCode, 0, inside.stderr)
        assert.match(inside.stdout, /^65534\n1$/)
      } finally {
        assert.equal((await holdfast(bounding, 'kill', 'long')).exitCode, 0)
        assert.equal((await holdfast(bounding, 'rm', 'long')).exitCode, 0)
      }
    })

  it('removes what a task that is itself has locked up: without CAP_DAC_OVERRIDE modes hold for root too', async () => {
    const lock = 'mkdir -p /local/a/b && chmod 000 /local/a'
    const { exitCode, stderr } = await holdfast(
      '-dac_override,-dac_read_search,-sys_admin',
      'run',
      '--rm',
      '--',
      'sh',
      '-c',
      lock,
    )
    assert.equal(exitCode, 0, stderr)
    assert.doesNotMatch(stderr, /remove/)
  })

  it('becomes nobody else by name: refused, with the capabilities that it takes', async () => {
    for (const flags of [[], ['--basic']]) {
      const { exitCode, stderr } = await holdfast('-all', 'run', ...flags, '--user', 'nobody', '--', 'true')
      assert.equal(exitCode, 125)
      assert.match(stderr, /CAP_SETUID, CAP_SETGID/)
    }
    const own = await holdfast('-all', 'run', '--rm', '--user', 'root', '--', 'true')
    assert.equal(own.exitCode, 0, own.stderr)
  })

  it('is told the same by doctor, and refused under strict', async () => {
    const { stdout } = await holdfast('-all', 'doctor', '--json')
    const { mode, rows, defaultRun } = JSON.parse(stdout) as {
      mode: { isolation: string }
      rows: { name: string; status: string; why: string; hint: string }[]
      defaultRun: { weakened: Enforcement[] }
    }
    assert.equal(mode.isolation, 'user-namespace')
    assert.match(rows.find(({ name }) => name === 'caller')?.why ?? '', /user 0, without CAP_SYS_ADMIN/)
    assert.deepEqual(
      defaultRun.weakened.map(({ name }) => name),
      ['root', 'devices', 'user'],
    )
    const strict = await holdfast('-all', 'run', '--strict', '--', 'true')
    assert.equal(strict.exitCode, 125)
    assert.match(strict.stderr, /root cannot become another user/)
  })
})
