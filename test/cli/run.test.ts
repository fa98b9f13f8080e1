import { strict as assert } from 'node:assert'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor, type TaskContext } from '../../src/index.ts'
import { compiled } from '../support/compiled.ts'
import { requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { destroyAll, holdfast, start } from './program.ts'

describe('holdfast run', function () {
  // Each call is a whole program: seconds, on a machine that is busy with other tests.
  this.timeout(180_000)

  let stateDir: string
  beforeEach(() => {
    stateDir = temporaryDirectory('cli')
  })
  afterEach(async () => {
    await destroyAll(stateDir)
    removeTemporary(stateDir)
  })

  it('prints what the task prints, each stream on its own, then how it ended, and exits as it did', async () => {
    const { code, stdout, stderr } = await holdfast(
      stateDir,
      ...['run', '--basic', '--pids', '32', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'],
    )
    assert.equal(code, 3)
    assert.equal(stdout, 'out\n')
    assert.match(stderr, /^err\nholdfast: sh exited with code 3 after .* \[[0-9a-z]{14}\]\n/)
    assert.match(stderr, /\n {2}skipped {3}pids 32: the basic executor has no limits/)
  })

  it('prints nothing of its own with --quiet, and leaves nothing behind with --rm', async () => {
    const ended = await holdfast(stateDir, 'run', '--basic', '--quiet', '--rm', 'echo', '--json')
    assert.deepEqual(ended, { code: 0, stdout: '--json\n', stderr: '' })
    assert.deepEqual(readdirSync(join(stateDir, 'tasks')), [])
    assert.deepEqual(readdirSync(join(stateDir, 'allocs')), [])
  })

  it('exits with 128 and the signal that ended the task', async () => {
    assert.equal((await holdfast(stateDir, 'run', '--basic', '--', 'sh', '-c', 'kill -KILL $$')).code, 137)
  })

  it('puts variables into arguments with --interpolate alone: else what one holds is no code', async () => {
    const hostile = ['-q', '-e', 'NAME=$(echo run); echo $NAME']
    const script = ['--', 'sh', '-c', 'echo "got $NAME"']
    const plain = await holdfast(stateDir, 'run', '--basic', ...hostile, ...script)
    assert.equal(plain.stdout, 'got $(echo run); echo $NAME\n')
    const control = await holdfast(stateDir, 'run', '--basic', '--interpolate', ...hostile, ...script)
    assert.match(control.stdout, /^got run; echo /)
    const words = await holdfast(
      stateDir,
      ...['run', '--basic', '-q', '--interpolate', '-e', 'A=1', '--', 'echo', '$A', '${A}', '$OTHER'],
    )
    assert.equal(words.stdout, '1 1 $OTHER\n')
  })

  it('passes variables on without ever printing them', async () => {
    const { ended } = start(
      stateDir,
      [
        'run',
        '--basic',
        '--json',
        '-e',
        'SHOWN=s3cret',
        '-e',
        'TAKEN',
        '--',
        'sh',
        '-c',
        'test $(printf $SHOWN | wc -c) = 6 && test $TAKEN = here',
      ],
      { TAKEN: 'here' },
    )
    const { code, stdout } = await ended
    assert.equal(code, 0)
    assert.ok(!stdout.includes('s3cret'))
    const listed = await holdfast(stateDir, 'ps', '--all', '--json')
    assert.ok(!listed.stdout.includes('s3cret'))
  })

  it('with --json prints one document and nothing else', async () => {
    const { code, stdout, stderr } = await holdfast(
      stateDir,
      ...[
        'run',
        '--basic',
        '--json',
        '--name',
        'job',
        '--timeout',
        '1h',
        '--',
        'sh',
        '-c',
        'echo out; echo err >&2; exit 3',
      ],
    )
    const { task, id, exitCode, cause, error, successful, enforcement, startedAt } = JSON.parse(stdout)
    assert.equal(stderr, '')
    assert.equal(code, 3)
    assert.deepEqual(
      { name: task.name, exitCode, cause, error, successful },
      { name: 'job', exitCode: 3, cause: 'exited', error: null, successful: false },
    )
    assert.equal(id, `holdfast:1:${task.key}:${stateDir}`)
    assert.ok(new Date(startedAt).getTime() > 0)
    assert.deepEqual(
      enforcement
        .filter(({ kind }: { kind: string }) => kind === 'limit')
        .map(({ name, status }: { name: string; status: string }) => [name, status]),
      [['wallTimeMs', 'enforced']],
    )
  })

  it('stops the task gracefully when interrupted, and exits as the task did', async () => {
    const script = 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done'
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, ended, printed } = start(stateDir, ['run', '--basic', '--', 'sh', '-c', script])
      await printed('ready')
      child.kill(signal)
      const { code, stdout, stderr } = await ended
      assert.equal(stdout, 'ready\nbye\n')
      assert.match(stderr, /sh exited with code 7 \(stopped as asked\)/)
      assert.equal(code, 7)
    }
  })

  it('kills the task at the second interrupt', async () => {
    const script = 'trap "echo asked" TERM; echo ready; while :; do sleep 0.05; done'
    const { child, ended, printed } = start(stateDir, ['run', '--basic', '--', 'sh', '-c', script])
    await printed('ready')
    child.kill('SIGINT')
    await printed('asked')
    child.kill('SIGINT')
    const { code, stderr } = await ended
    assert.equal(code, 137)
    assert.match(stderr, /was ended by SIGKILL \(killed by force\)/)
    // Not the end of the grace time: the deadline itself has come nearer.
    const stop = await stopRequest(stateDir)
    assert.ok(stop !== null && stop.killAt < stop.requestedAt + 5000, JSON.stringify(stop))
  })

  it('stops a task whose reader has gone away, as a pipe would', async () => {
    const { child, ended, printed } = start(stateDir, [
      'run',
      '--basic',
      '--',
      'sh',
      '-c',
      'while :; do echo y; done',
    ])
    await printed('y')
    child.stdout?.destroy()
    assert.equal((await ended).code, 128 + 13)
  })

  it('-i passes input on byte for byte, to its end; without, the task has none', async () => {
    const bytes = Array.from({ length: 200_000 }, (_, index) => `${index}\n`).join('')
    const piped = start(stateDir, ['run', '--basic', '-q', '-i', '--', 'cat'], {}, 'pipe')
    piped.child.stdin?.end(bytes)
    const { code, stdout, stderr } = await piped.ended
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(stdout === bytes, `${stdout.length} of ${bytes.length} bytes`)
    const none = start(stateDir, ['run', '--basic', '-q', '--', 'wc', '-c'], {}, 'pipe')
    none.child.stdin?.write('nobody reads this\n')
    assert.equal((await none.ended).stdout.trim(), '0')
  })

  const unread = /standard input has data that nobody reads: -i/
  for (const [what, input, options, notice] of [
    ['a pipe with data', 'pipe', [], true],
    ['a file', 'file', [], true],
    ['a pipe with data, under --json', 'pipe', ['--json'], false],
    ['a pipe with data, under --quiet', 'pipe', ['--quiet'], false],
    ['a pipe with data, and -i', 'pipe', ['-i'], false],
    ['an empty pipe', 'empty', [], false],
    ['what a loop reads', 'loop', [], false],
    ['what a loop reads from a pipe', 'loop over a pipe', [], false],
    ['/dev/null', 'null', [], false],
    ['no standard input', 'closed', [], false],
  ] as const)
    it(`${notice ? 'names' : 'does not name'} -i for ${what}`, async function () {
      requires(this, 'native')
      const data = join(stateDir, 'data')
      writeFileSync(data, 'one\ntwo\n')
      const shell = {
        pipe: `cat '${data}' | "$0" "$@"`,
        file: `"$0" "$@" <'${data}'`,
        empty: `: | "$0" "$@"`,
        loop: `while read -r line; do "$0" "$@"; echo "$line" >&2; done <'${data}'`,
        'loop over a pipe': `cat '${data}' | while read -r line; do "$0" "$@"; echo "$line" >&2; done`,
        null: `"$0" "$@" </dev/null`,
        closed: `"$0" "$@" <&-`,
      }[input]
      const main = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', stateDir]
      const args = ['run', '--basic', ...options, '--', 'true']
      const { status, stdout, stderr } = spawnSync('sh', ['-c', shell, ...main, ...args], {
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      assert.equal(unread.test(stderr), notice, stderr)
      assert.equal(stdout.includes('-i gives'), false)
      // What the task does not take is there for who comes next.
      if (input.startsWith('loop')) assert.match(stderr, /one\n[^]*two\n$/)
    })

  it('names -i while a task goes on, once, and leaves its input alone', async function () {
    requires(this, 'native')
    const main = [process.execPath, compiled('src/cli/main.ts'), '--state-dir', stateDir]
    const [program = '', ...args] = [...main, 'run', '--basic', '--', 'sleep', '1000']
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] })
    child.stdin.write('one\n')
    let said = ''
    await new Promise<void>(resolve =>
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (unread.test(said)) resolve()
      }),
    )
    child.kill('SIGTERM')
    await once(child, 'close')
    assert.equal(said.split('-i gives').length, 2, said)
  })

  it('-i lets a task answer line by line, and end before its input does', async () => {
    const script = 'while read -r line; do echo "got $line"; [ "$line" = last ] && exit 5; done'
    const { child, ended, printed } = start(
      stateDir,
      ['run', '--basic', '-q', '--interactive', '--', 'sh', '-c', script],
      {},
      'pipe',
    )
    child.stdin?.write('first\n')
    await printed('got first\n')
    // Left open: who typed it may still be there.
    child.stdin?.write('last\n')
    assert.deepEqual(await ended, { code: 5, stdout: 'got first\ngot last\n', stderr: '' })
  })

  it('with --detach prints the key and leaves the task running', async () => {
    const { code, stdout } = await holdfast(stateDir, 'run', '--basic', '--detach', '--', 'sleep', '1000')
    assert.equal(code, 0)
    const { tasks } = JSON.parse((await holdfast(stateDir, 'ps', '--json')).stdout)
    assert.deepEqual(
      tasks.map(({ key, state }: { key: string; state: string }) => [`${key}\n`, state]),
      [[stdout, 'running']],
    )
  })

  const failures: [why: string, code: number, args: string[], message: RegExp, hint: boolean][] = [
    ['a program that is not there', 127, ['/nonexistent/program'], /could not be executed.*ENOENT/, true],
    ['a name that is not on PATH', 127, ['no-such-program-anywhere'], /no such program on PATH/, true],
    ['a file that is not executable', 126, ['/etc/passwd'], /EACCES/, true],
    ['a directory', 126, ['/etc'], /EACCES/, true],
    [
      'a limit out of range',
      125,
      ['--memory', '5', 'true'],
      /^holdfast: --memory: got 5, takes an integer/,
      false,
    ],
    [
      'a limit that is no size',
      125,
      ['--memory', 'lots', 'true'],
      /^holdfast: --memory: got "lots", takes a size/,
      false,
    ],
    [
      'a time that is none',
      125,
      ['--timeout', '5', 'true'],
      /^holdfast: --timeout: got "5", takes a time/,
      false,
    ],
    [
      'a name that cannot be one',
      125,
      ['--name', '../x', 'true'],
      /^holdfast: --name: got "\.\.\/x", takes a name/,
      false,
    ],
    ['an unknown user', 125, ['--user', 'no-such-user', 'true'], /there is no user "no-such-user"/, true],
    [
      'a network that is none',
      125,
      ['--network', 'lan', 'true'],
      /--network: got "lan", takes host or none/,
      false,
    ],
    [
      'rotation without a size',
      125,
      ['--log-max-files', '3', 'true'],
      /--log-max-files needs --log-max-size/,
      false,
    ],
    [
      'log files of less than a page',
      125,
      ['--log-max-size', '100', 'true'],
      /^holdfast: --log-max-size: got 100, takes .*4096/,
      false,
    ],
    [
      'one log file',
      125,
      ['--log-max-size', '1M', '--log-max-files', '1', 'true'],
      /^holdfast: --log-max-files: got 1, /,
      false,
    ],
    ['--rm without waiting', 125, ['--rm', '--detach', 'true'], /--rm cannot go with --detach/, true],
    ['more than can be enforced, --strict', 125, ['--strict', '--pids', '9', 'true'], /strict: .*pids/, true],
    ['an unknown flag', 125, ['--memmory', '64M', 'true'], /unknown option '--memmory'/, true],
    ['no program', 125, [], /missing required argument 'COMMAND'/, true],
  ]
  for (const [why, code, args, message, hint] of failures) {
    it(`refuses ${why} with exit code ${code}, leaving no task`, async () => {
      const ended = await holdfast(stateDir, 'run', '--basic', ...args)
      assert.equal(ended.stdout, '')
      assert.match(ended.stderr, message)
      assert.equal(/\n {2}hint: \S/.test(ended.stderr), hint, ended.stderr)
      assert.equal(ended.code, code)
      assert.equal(tasksIn(stateDir), 0)
    })
  }

  it('with --json prints a failure as one document, too', async () => {
    const failed = await holdfast(stateDir, 'run', '--basic', '--json', '--', '/nonexistent/program')
    assert.equal(failed.stderr, '')
    const { error, ...rest } = JSON.parse(failed.stdout)
    assert.deepEqual(rest, {})
    assert.deepEqual([error.code, error.stage, error.errno], ['START_FAILED', 'exec', 'ENOENT'])
    assert.ok(error.message.length > 0 && error.hint.length > 0)
    const mistaken = await holdfast(stateDir, 'run', '--memmory', '64M', '--json', '--', 'true')
    assert.equal(mistaken.stderr, '')
    assert.equal(JSON.parse(mistaken.stdout).error.code, 'INVALID_ARGUMENT')
    const both = await holdfast(stateDir, 'run', '-t', '--json', '--', 'true')
    assert.deepEqual([both.code, both.stderr], [125, ''])
    assert.match(
      JSON.parse(both.stdout).error.message,
      /^--json cannot go with --tty: the task has the terminal/,
    )
  })

  it('as root runs an isolated, limited task as nobody', async function () {
    requires(this, 'root', 'linux', 'native')
    const { code, stdout, stderr } = await holdfast(
      stateDir,
      ...[
        'run',
        '--memory',
        '64M',
        '--pids',
        '32',
        '--network',
        'none',
        '--hostname',
        'reef',
        '--tmpfs',
        '/scratch:1M',
      ],
      ...['--', 'sh', '-c', 'id -un; hostname; ls /root; echo x > /scratch/x && cat /scratch/x'],
    )
    assert.equal(stdout, 'nobody\nreef\nx\n')
    assert.match(stderr, /\n {2}enforced {2}.*memory 64 MiB.*pids 32.*no network.*own root.*user nobody/)
    assert.equal(code, 0)
  })

  it('--result writes the result beside live output, also of a start that fails; a path that cannot be written costs no run', async () => {
    const path = join(stateDir, 'result.json')
    const ended = await holdfast(
      stateDir,
      'run',
      '--basic',
      '-q',
      '--result',
      path,
      '--',
      'sh',
      '-c',
      'echo out; exit 3',
    )
    assert.deepEqual(ended, { code: 3, stdout: 'out\n', stderr: '' })
    const { exitCode, cause, enforcement } = JSON.parse(readFileSync(path, 'utf8'))
    assert.deepEqual([exitCode, cause, Array.isArray(enforcement)], [3, 'exited', true])
    await holdfast(stateDir, 'run', '--basic', '--result', path, '--', '/nonexistent/program')
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).error.stage, 'exec')
    const refused = await holdfast(
      stateDir,
      'run',
      '--basic',
      '--result',
      join(stateDir, 'no/such/dir'),
      '--',
      'touch',
      join(stateDir, 'ran'),
    )
    assert.equal(refused.code, 125)
    assert.match(refused.stderr, /^holdfast: --result: ".*no\/such\/dir" cannot be written: ENOENT/)
    assert.ok(!existsSync(join(stateDir, 'ran')))
  })

  it('exits with 124 when the time was up', async () => {
    const { code } = await holdfast(
      stateDir,
      'run',
      '--basic',
      '-q',
      '--timeout',
      '200ms',
      '--',
      'sleep',
      '600',
    )
    assert.equal(code, 124)
  })

  it('labels and name are kept with the task, and ps filters by them', async () => {
    const start = (name: string, app: string) =>
      holdfast(
        stateDir,
        'run',
        '--basic',
        '--detach',
        '-q',
        '--name',
        name,
        '--label',
        `app=${app}`,
        '--',
        'sleep',
        '600',
      )
    const [one, two] = [await start('one', 'web'), await start('two', 'db')]
    assert.deepEqual([one.code, two.code], [0, 0], one.stderr + two.stderr)
    const { stdout } = await holdfast(stateDir, 'ps', '--json', '--filter', 'label=app=web')
    const { tasks } = JSON.parse(stdout)
    assert.deepEqual([tasks.length, tasks[0].name, tasks[0].labels], [1, 'one', { app: 'web' }])
    assert.equal((await holdfast(stateDir, 'kill', 'two')).code, 0)
    const gone = JSON.parse((await holdfast(stateDir, 'ps', '--json', '--filter', 'state=exited')).stdout)
    assert.deepEqual(
      gone.tasks.map(({ name }: { name: string }) => name),
      ['two'],
    )
  })

  it('--env-file, --ulimit and --cap-add reach the task, --env wins', async function () {
    requires(this, 'root', 'linux', 'native')
    const file = join(stateDir, 'env')
    writeFileSync(file, 'A=file\nB=file\n')
    const { stdout, code, stderr } = await holdfast(
      stateDir,
      ...[
        'run',
        '-q',
        '--env-file',
        file,
        '--env',
        'B=flag',
        '--ulimit',
        'nofile=64:128',
        '--cap-add',
        'net_bind_service',
      ],
      ...['--', 'sh', '-c', 'echo $A $B; ulimit -Sn; ulimit -Hn; grep CapBnd /proc/self/status'],
    )
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'file flag\n64\n128\nCapBnd:\t0000000000000400\n')
  })

  it('--untrusted: no network, bounded processes, files and directories, strict; other flags say otherwise', async function () {
    requires(this, 'root', 'linux', 'native', 'disk')
    const script = 'ls /sys/class/net; ulimit -n; ulimit -c; stat -f -c %T /local /tmp /alloc /alloc/data'
    const { code, stdout, stderr } = await holdfast(
      stateDir,
      'run',
      '--rm',
      '--untrusted',
      '--',
      'sh',
      '-c',
      script,
    )
    assert.equal(code, 0, stderr)
    assert.match(stdout, /1024\n0\next2\/ext3\ntmpfs\next2\/ext3\next2\/ext3\n$/)
    assert.match(stderr, /enforced {2}.*pids 1024.*disk 1 GiB.*no network/)
    const other = await holdfast(stateDir, 'run', '--rm', '--untrusted', '--pids', '7', '--', 'true')
    assert.match(other.stderr, /pids 7/)
    const none = ['--pids', 'max', '--disk', 'max']
    const memory = await holdfast(
      stateDir,
      'run',
      '--rm',
      '--untrusted',
      ...none,
      '--',
      'stat',
      '-f',
      '-c',
      '%T',
      '/local',
    )
    assert.match(memory.stdout, /^tmpfs$/m)
    assert.doesNotMatch(memory.stderr, /pids|disk/)
    const unlimitable = await holdfast(stateDir, 'run', '--untrusted', '--basic', '--', 'true')
    assert.deepEqual([unlimitable.code, tasksIn(stateDir)], [125, 0])
    assert.match(unlimitable.stderr, /--untrusted cannot go with --basic/)
  })

  it('has a limit of 4096 pids unless told otherwise: another, none, or the Basic executor', async function () {
    requires(this, 'root', 'linux', 'native')
    const pids = async (...flags: string[]): Promise<unknown> => {
      const { stdout } = await holdfast(stateDir, 'run', '--rm', '--json', ...flags, '--', 'true')
      const rows = JSON.parse(stdout).enforcement as { name: string; requested: string; status: string }[]
      const row = rows.find(({ name }) => name === 'pids')
      return row && [row.status, row.requested]
    }
    assert.deepEqual(await pids(), ['enforced', '4096'])
    assert.deepEqual(await pids('--pids', '7'), ['enforced', '7'])
    assert.equal(await pids('--pids', 'max'), undefined)
    assert.equal(await pids('--basic'), undefined)
  })
})

function tasksIn(stateDir: string): number {
  try {
    return readdirSync(join(stateDir, 'tasks')).length
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT')
    return 0
  }
}

async function stopRequest(stateDir: string): Promise<TaskContext['stop']> {
  const supervisor = new Supervisor({ stateDir })
  try {
    await supervisor.openAll()
    const [task] = supervisor.tasks.values()
    assert.ok(task !== undefined)
    return (task.actor.getSnapshot() as { context: TaskContext }).context.stop
  } finally {
    await supervisor.close()
  }
}
