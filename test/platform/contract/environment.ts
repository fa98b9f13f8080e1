import { strict as assert } from 'node:assert'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { AllocDir } from '../../../src/index.ts'
import { runFixture } from '../../support/fixture.ts'
import { isRoot } from '../../support/identity.ts'
import { output, outputOf } from '../../support/output.ts'
import { keyOf } from '../../support/task-key.ts'
import type { Section } from './adapter.ts'

export const environment: Section = (check, { platform }) => {
  check(
    'has exactly the given environment, its two directories, PATH, HOME and its user’s name; nothing of the supervisor',
    ['unix-environment'],
    async bench => {
      process.env.HOLDFAST_TEST_SECRET = 'of the supervisor'
      try {
        const task = bench.command('/usr/bin/env')
        task.command.env = { ONLY: 'this one', EMPTY: '' }
        const lines = (await outputOf(task)).trimEnd().split('\n').sort()
        const alloc = join(bench.stateDir, 'allocs', keyOf(task))
        const [shared, local] =
          platform === 'linux' ? ['/alloc', '/local'] : [`${alloc}/alloc`, `${alloc}/env/local`]
        const user = isRoot && platform === 'linux' ? 'nobody' : ownName()
        assert.deepEqual(lines, [
          'EMPTY=',
          `HOLDFAST_ALLOC_DIR=${shared}`,
          `HOLDFAST_TASK_DIR=${local}`,
          `HOME=${local}`,
          `LOGNAME=${user}`,
          `NOMAD_ALLOC_DIR=${shared}`,
          `NOMAD_TASK_DIR=${local}`,
          'ONLY=this one',
          'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          `USER=${user}`,
        ])
      } finally {
        delete process.env.HOLDFAST_TEST_SECRET
      }
    },
  )

  check('can write to its two directories, whose paths its environment tells', async bench => {
    const task = bench.shell('echo own > $HOLDFAST_TASK_DIR/note && echo shared > $NOMAD_ALLOC_DIR/data/note')
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['writer'])
    await task.configureTaskDir('writer', alloc)
    await task.start()
    assert.equal((await task.wait()).exitCode, 0)
    assert.equal(readFileSync(join(alloc.path, 'writer/local/note'), 'utf8'), 'own\n')
    assert.equal(readFileSync(join(alloc.sharedDir, 'data/note'), 'utf8'), 'shared\n')
  })

  check(
    'starts in the task directory (Basic) or in / (Linux), and in command.cwd when given',
    async bench => {
      const task = bench.shell('pwd -P')
      const where = (await outputOf(task)).trim()
      assert.equal(where, platform === 'linux' ? '/' : join(bench.stateDir, 'allocs', keyOf(task), 'sh'))
      const elsewhere = bench.shell('pwd -P')
      elsewhere.command.cwd = platform === 'linux' ? '/usr/bin' : bench.directory()
      assert.equal(await outputOf(elsewhere), `${elsewhere.command.cwd}\n`)
    },
  )

  check('reads an empty standard input, or the given file', async bench => {
    assert.equal(await outputOf(bench.command('/usr/bin/wc', '-c')), '0\n')
    const task = bench.command('/usr/bin/head', '-c', '4')
    // Isolated, a task is shown the host's programs and not our files.
    const file = platform === 'linux' ? '/bin/sh' : join(bench.directory(), 'file')
    if (platform !== 'linux') writeFileSync(file, 'given')
    task.command.stdin = file
    assert.equal(await outputOf(task), readFileSync(file).subarray(0, 4).toString('latin1'))
  })

  check('has umask 022, or the given one', ['modes'], async bench => {
    assert.equal(await outputOf(bench.shell('umask')), '0022\n')
    const task = bench.shell('umask')
    task.command.umask = 0o077
    assert.equal(await outputOf(task), '0077\n')
  })

  check('leads a session and a process group of its own', ['proc', 'sessions'], async bench => {
    const [pid, group, session] = (
      await outputOf(bench.command('/usr/bin/cut', '-d ', '-f1,5,6', '/proc/self/stat'))
    )
      .trim()
      .split(' ')
    assert.equal(group, pid)
    assert.equal(session, pid)
  })

  check('has the oom_score_adj of the supervisor, not of its shim', ['proc'], async bench => {
    const own = readFileSync('/proc/self/oom_score_adj', 'utf8')
    assert.equal(await outputOf(bench.command('/bin/cat', '/proc/self/oom_score_adj')), own)
  })

  check(
    'inherits no descriptor, signal mask or ignored signal, whatever the supervisor was started with',
    ['proc'],
    async bench => {
      const open = openSync('/etc/passwd', 'r')
      const { stdout } = await runFixture('inherit.ts', {
        stateDir: bench.stateDir,
        arguments: [platform],
        // What a shell or a service manager may leave open, ignored: none of it is the task's business.
        through: 'trap "" HUP INT QUIT USR1 PIPE; exec 7</etc/passwd 8>/dev/null; exec "$@"',
        // High ones too: Node itself closes the first sixteen on exec.
        descriptors: { 40: open },
      }).finally(() => closeSync(open))
      const { descriptors, signals } = JSON.parse(stdout) as { descriptors: string; signals: string }
      assert.equal(descriptors, '0\n1\n2\n')
      assert.equal(signals.replaceAll('\t', ' '), `SigBlk: ${'0'.repeat(16)}\nSigIgn: ${'0'.repeat(16)}\n`)
    },
  )

  check('has a second task in the same allocation share alloc/ and not local/', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['first', 'second'])
    const first = bench.shell(
      'echo seen > $HOLDFAST_ALLOC_DIR/data/note; echo hidden > $HOLDFAST_TASK_DIR/note',
    )
    await first.configureTaskDir('first', alloc)
    await first.start()
    await first.wait()
    const second = bench.shell('cat $HOLDFAST_ALLOC_DIR/data/note; ls $HOLDFAST_TASK_DIR')
    await second.configureTaskDir('second', alloc)
    assert.equal(await outputOf(second), 'seen\n')
    assert.equal(await output(second, 'stderr'), '')
  })
}

/** Of this process's user; its number where it has no account. */
function ownName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.geteuid?.())
  }
}
