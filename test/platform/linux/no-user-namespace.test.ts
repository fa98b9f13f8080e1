import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Enforcement } from '../../../src/index.ts'
import { nativeFeatures } from '../../../src/spawn/probe.ts'
import { nativePath, withoutCall } from '../../attacks/hostile.ts'
import { homeOfOrdinaryUser, ordinaryUid } from '../../support/ordinary-user.ts'
import { requires } from '../../support/requires.ts'
import { holdfastBy, holdfastWithout, runWithoutUserNamespace } from '../../support/without-user-namespace.ts'

describe('an ordinary user on a host that gives it no user namespace', function () {
  this.timeout(60_000)
  let home: string

  before(function () {
    requires(this, 'root', 'linux', 'native', 'ordinary-user')
    home = homeOfOrdinaryUser()
  })

  it('gets what needs no right: no new privileges, seccomp, rlimits and time; each loss has a reason and a mend', async () => {
    const script = 'id -u; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; sleep 600 & exit 4'
    const { code, stdout, stderr } = await holdfastWithout(
      home,
      'run',
      '--json',
      '--timeout',
      '30s',
      '--memory',
      '64M',
      '--',
      'sh',
      '-c',
      script,
    )
    assert.equal(code, 4, stderr)
    const { enforcement } = JSON.parse(stdout) as { enforcement: Enforcement[] }
    const rows = new Map(enforcement.map(row => [row.name, row]))
    for (const name of ['wallTimeMs', 'noNewPrivileges', 'seccomp', 'capabilities'])
      assert.equal(rows.get(name)?.status, 'enforced', name)
    // Landlock alone keeps it from the host's files.
    const walled = rows.get('landlock')?.status === 'skipped' ? 'skipped' : 'weakened'
    for (const name of ['namespace.user', 'namespace.pid', 'namespace.mount', 'root', 'devices']) {
      const status = name === 'root' || name === 'devices' ? walled : 'skipped'
      assert.equal(rows.get(name)?.status, status, name)
      assert.match(rows.get(name)?.reason ?? '', /no user namespace \(unshare user: ENOSPC\)/)
      assert.match(rows.get(name)?.hint ?? '', /sysctl -w user\.max_user_namespaces=/)
    }
    assert.ok(rows.get('memoryBytes')?.status === 'enforced' || rows.get('memoryBytes')?.hint)
    const logs = await holdfastWithout(home, 'logs', 'sh')
    assert.equal(logs.stdout, `${ordinaryUid}\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n`)
  })

  it('is kept from the files of its own user by Landlock, which alone is left; control: not where it was asked to be off', async function () {
    if ((nativeFeatures(nativePath())?.landlock ?? 0) === 0) this.skip()
    writeFileSync(`${home}/secret`, 'of the user\n', { mode: 0o644 })
    const script = `cat ${home}/secret; ls /home /tmp; echo x > /tmp/holdfast-x-$$; echo y > $TMPDIR/y && echo z > $HOME/z && cat $TMPDIR/y`
    const walled = await holdfastWithout(home, 'run', '--', 'sh', '-c', script)
    assert.equal(walled.stdout, 'y\n', walled.stderr)
    assert.equal(walled.stderr.match(/Permission denied/g)?.length, 4, walled.stderr)
    const bare = await holdfastWithout(home, 'run', '--seccomp', 'off', '--', 'cat', `${home}/secret`)
    assert.equal(bare.stdout, 'of the user\n', bare.stderr)
  })

  it('is kept from signals to others of its own user; control: without Landlock they arrive', async function () {
    if ((nativeFeatures(nativePath())?.landlock ?? 0) < 6) this.skip()
    const victim = spawn('sleep', ['1000'], { uid: ordinaryUid, gid: ordinaryUid, stdio: 'ignore' })
    const ended = once(victim, 'exit')
    try {
      const kill = ['run', '--', 'sh', '-c', `kill -TERM ${victim.pid}; echo told $?`]
      const walled = await holdfastWithout(home, ...kill)
      assert.equal(walled.stdout, 'told 1\n', walled.stderr)
      assert.match(walled.stderr, /not permitted/)
      assert.deepEqual([victim.exitCode, victim.signalCode], [null, null])
      const native = withoutCall()
      const bare = await runWithoutUserNamespace(home, [...holdfastBy(native), ...kill])
      assert.equal(bare.stdout, 'told 0\n', bare.stderr)
      assert.deepEqual(await ended, [null, 'SIGTERM'])
    } finally {
      victim.kill('SIGKILL')
    }
  })

  it('is refused under strict, and refused mounts, with the command that would change it', async () => {
    for (const flags of [
      ['--strict', '--user', String(ordinaryUid)],
      ['--mount', '/usr:/tmp/usr'],
    ]) {
      const { code, stderr } = await holdfastWithout(home, 'run', ...flags, '--', 'true')
      assert.equal(code, 125)
      assert.match(stderr, /hint: .*sysctl -w user\.max_user_namespaces=/)
    }
  })

  it('is told the same by doctor', async () => {
    const { code, stdout } = await holdfastWithout(home, 'doctor', '--json')
    assert.equal(code, 1)
    const { mode, defaultRun } = JSON.parse(stdout) as {
      mode: { isolation: string }
      defaultRun: { weakened: Enforcement[] }
    }
    assert.equal(mode.isolation, 'none')
    assert.ok(defaultRun.weakened.some(({ name }) => name === 'namespace.pid'))
  })
})
