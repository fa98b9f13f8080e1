import { strict as assert } from 'node:assert'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { type Executor, setCommand, Supervisor } from '../../../src/index.ts'
import { compiled } from '../../support/compiled.ts'
import { output, untilOutput } from '../../support/output.ts'
import { requires } from '../../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'
import { destroyAll, holdfast, start } from '../program.ts'

/** A terminal of somebody's, in which a shell script has `h` for our command line. */
type Caller = { readonly task: Executor; readonly keys: Writable }

describe('a terminal on the command line', function () {
  this.timeout(120_000)

  before(function () {
    requires(this, 'linux', 'native')
  })

  let dir: string
  let tasks: string
  let callers: Supervisor
  beforeEach(() => {
    dir = temporaryDirectory('cli')
    tasks = join(dir, 'tasks')
    for (const name of ['tasks', 'callers']) mkdirSync(join(dir, name))
    callers = new Supervisor({ stateDir: join(dir, 'callers') })
  })
  afterEach(async () => {
    await callers.close()
    for (const name of ['callers', 'tasks']) await destroyAll(join(dir, name))
    removeTemporary(dir)
  })

  const called = async (script: string): Promise<Caller> => {
    const task = callers.executor('basic')
    const h = `h() { '${process.execPath}' '${compiled('src/cli/main.ts')}' --state-dir '${tasks}' "$@"; }`
    setCommand(task, '/bin/sh', ['-c', `${h}; ${script}`])
    const env = { TERM: 'xterm-test', PATH: process.env.PATH ?? '' }
    Object.assign(task.command, { terminal: { rows: 30, columns: 100 }, env })
    await task.start()
    return { task, keys: task.openInput() }
  }

  const kept = 'was=$(stty -g)'
  const untilRestored = 'while [ "$(stty -g)" != "$was" ]; do sleep 0.02; done; echo restored'

  it('run -t gives the task a terminal of that size and TERM, that follows; Ctrl-C is the task’s; its exit code is ours', async () => {
    const script =
      'trap "echo caught" INT; stty size; echo "$TERM"; read -r word || read -r word; echo "got $word"; until stty size | grep "12 34"; do sleep 0.02; done; exit 7'
    const { task, keys } = await called(
      `${kept}; h run -t -q --basic -- sh -c '${script}'; echo "code $?"; ${untilRestored}`,
    )
    await untilOutput(task, '30 100\r\nxterm-test\r\n')
    await task.resize({ rows: 12, columns: 34 })
    keys.write('\x03')
    await untilOutput(task, 'caught')
    keys.write('hello\r')
    await task.wait()
    assert.match(await output(task), /got hello\r\n12 34\r\ncode 7\r\nrestored\r\n$/)
  })

  it('run -t names a shell for programs that start one, as an account may have none; -e names another', async () => {
    const shell = (flags: string) => `h run -t -q --rm --basic ${flags} -- sh -c 'echo ":$SHELL:"'`
    const { task } = await called(`${shell('')}; ${shell('-e SHELL=/bin/dash')}`)
    await task.wait()
    const [named, other] = [...(await output(task)).matchAll(/:(\S+):/g)].map(([, path]) => path)
    assert.ok(named === '/bin/bash' || named === '/bin/sh', await output(task))
    assert.equal(other, '/bin/dash')
  })

  it('exec -t gives a session a terminal of its own', async () => {
    await holdfast(tasks, 'run', '--detach', '--basic', '--name', 'web', '--', 'sleep', '600')
    const { task, keys } = await called(
      `h exec -t -q web -- sh -c 'tty; stty size; read -r x; exit 4'; echo "code $?"`,
    )
    assert.match(await untilOutput(task, '30 100'), /\/dev\/pts\/\d+\r\n/)
    keys.write('\r')
    await untilOutput(task, 'code 4')
  })

  it('is as it was when holdfast is killed with SIGKILL amid a program that draws; the task goes on', async () => {
    const draws = `printf "\\033[?1049h\\033[?25lpid $PPID drawn"; stty raw; sleep 600`
    const { task } = await called(
      `${kept}; sh -c 'echo "us $$"; exec "$0" "$@"' '${process.execPath}' '${compiled('src/cli/main.ts')}' --state-dir '${tasks}' run -t --basic -- sh -c '${draws}'; ${untilRestored}; read -r end`,
    )
    const [, pid] = /us (\d+)/.exec(await untilOutput(task, 'drawn')) ?? []
    process.kill(Number(pid), 'SIGKILL')
    // The modes are put back before anything is written, which a stopped terminal would hold up.
    await Promise.all(['restored', '\x1b[?25h\x1b[?1049l'].map(text => untilOutput(task, text)))
    const { stdout } = await holdfast(tasks, 'ps', '--json')
    assert.equal(JSON.parse(stdout).tasks[0].state, 'running')
  })

  it('is shared by several that attach to a task of another process, is left with Ctrl-P Ctrl-Q, and the task goes on', async () => {
    const key = await detached(
      '-t',
      'sh',
      '-c',
      'echo "the screen"; while read -r x; do echo "got $x"; done; exit 5',
    )
    const one = await called(`h attach ${key}; echo "left $?"; ${kept}`)
    const two = await called(`h attach ${key}; echo "ended $?"`)
    await Promise.all([untilOutput(one.task, 'the screen'), untilOutput(two.task, 'the screen')])
    one.keys.write('from one\r')
    await Promise.all([one, two].map(({ task }) => untilOutput(task, 'got from one')))
    one.keys.write('\x10\x11')
    await untilOutput(one.task, 'left 0')
    two.keys.write('from two\r')
    await untilOutput(two.task, 'got from two')
    two.keys.write('\x04')
    await untilOutput(two.task, 'ended 5')
  })

  it('holds up no task when whoever is attached is stopped', async () => {
    const key = await detached(
      '-t',
      'sh',
      '-c',
      'echo up; read -r x; head -c 3000000 /dev/zero | tr "\\0" x; exit 6',
    )
    const { task, keys } = await called(
      `sh -c 'echo "us $$"; exec "$0" "$@"' '${process.execPath}' '${compiled('src/cli/main.ts')}' --state-dir '${tasks}' attach ${key}`,
    )
    const [, pid] = /us (\d+)/.exec(await untilOutput(task, 'up')) ?? []
    process.kill(Number(pid), 'SIGSTOP')
    const supervisor = new Supervisor({ stateDir: tasks })
    await supervisor.openAll()
    supervisor.tasks.get(key)?.openInput().write('go\n')
    assert.equal((await supervisor.tasks.get(key)?.wait())?.exitCode, 6)
    await supervisor.close()
    process.kill(Number(pid), 'SIGKILL')
    keys.destroy()
  })

  it('is not there: -t is refused with a sentence, and so is attach; with --detach it is not needed', async () => {
    const refused = await holdfast(tasks, 'run', '-t', '--basic', '--', 'true')
    assert.deepEqual([refused.code, refused.stdout], [125, ''])
    assert.match(refused.stderr, /-t: standard input is no terminal/)
    const key = await detached('-t', 'sleep', '600')
    const attach = await holdfast(tasks, 'attach', key)
    assert.deepEqual([attach.code, attach.stdout], [125, ''])
    assert.match(attach.stderr, /attach: standard input is no terminal/)
    const portable = await start(tasks, ['run', '-td', '--basic', '--', 'true'], { HOLDFAST_NATIVE: 'off' })
      .ended
    assert.equal(portable.code, 125)
    assert.match(portable.stderr, /--tty: only the native program does that/)
  })

  it('is not needed to attach to a task without one: both streams, live, and its input if that was left open', async () => {
    const key = await detached(
      '-i',
      'sh',
      '-c',
      'while read -r x; do echo "out $x"; echo "err $x" >&2; done; exit 3',
    )
    const attach = start(tasks, ['attach', key], {}, 'pipe')
    attach.child.stdin?.write('a\n')
    await attach.printed('out a')
    attach.child.stdin?.end()
    const { code, stdout, stderr } = await attach.ended
    assert.deepEqual([code, stdout, stderr], [3, 'out a\n', 'err a\n'])
  })

  it('says that there is no input where none was left open, and leaves the task alone when it is interrupted', async () => {
    const key = await detached('', 'sh', '-c', 'while :; do echo tick; sleep 0.1; done')
    const attach = start(tasks, ['attach', key], {}, 'pipe')
    await attach.printed('tick')
    attach.child.kill('SIGINT')
    const { code, stderr } = await attach.ended
    assert.equal(code, 0)
    assert.match(
      stderr,
      /no standard input to write to: command\.stdin was "null"[^]*goes on; back to it: holdfast attach/,
    )
    assert.match((await holdfast(tasks, 'ps')).stdout, /running/)
  })

  async function detached(flag: string, ...command: string[]): Promise<string> {
    const flags = flag === '' ? [] : [flag]
    const { stdout, stderr } = await holdfast(
      tasks,
      'run',
      '--detach',
      '-q',
      '--basic',
      ...flags,
      '--',
      ...command,
    )
    assert.match(stdout, /^\S+\n$/, stderr)
    return stdout.trim()
  }
})
