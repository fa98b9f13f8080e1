import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { type Executor, setCommand, Supervisor } from '../../../src/index.ts'
import { compiled } from '../../support/compiled.ts'
import { isRoot } from '../../support/identity.ts'
import { ordinaryUid } from '../../support/ordinary-user.ts'
import { untilOutput } from '../../support/output.ts'
import { requires } from '../../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'

const own = process.geteuid?.() ?? 0
const callers = isRoot
  ? [
      { name: 'root', caller: own },
      { name: 'an ordinary user', caller: ordinaryUid },
    ]
  : [{ name: 'this user', caller: own }]

for (const { name, caller } of callers)
  describe(`programs that draw, in the terminal of an isolated task of ${name}`, function () {
    this.timeout(120_000)
    let dir: string
    let tasks: string
    let project: string
    let terminals: Supervisor
    before(function () {
      requires(this, 'isolation', 'native', ...(caller === own ? [] : (['ordinary-user'] as const)))
    })
    beforeEach(() => {
      program = compiled('src/cli/main.ts')
      dir = temporaryDirectory('terminal')
      tasks = join(dir, 'tasks')
      project = join(dir, 'project')
      // The terminals' state is ours: what another could change is not trusted.
      for (const path of [tasks, project]) {
        mkdirSync(path)
        if (caller !== own) chownSync(path, caller, caller)
      }
      terminals = new Supervisor({ stateDir: join(dir, 'terminals') })
    })
    afterEach(async () => {
      for (const task of terminals.tasks.values()) await task.destroy()
      await terminals.close()
      const keys = asCaller('ps', '--all', '-q').split('\n').filter(Boolean)
      if (keys.length > 0) asCaller('rm', '--force', ...keys)
      removeTemporary(dir)
    })

    let program: string
    const asCaller = (...words: readonly string[]): string =>
      execFileSync(process.execPath, [program, '--state-dir', tasks, ...words], {
        encoding: 'utf8',
        ...(caller !== own && { uid: caller, gid: caller }),
      })

    /** A shell of the caller's with a terminal of its own, in the project, and `h` for our command line. */
    async function terminal(script: string): Promise<{ shell: Executor; type: Writable }> {
      const shell = terminals.executor('basic')
      const h = `h() { '${process.execPath}' '${program}' --state-dir '${tasks}' "$@"; }`
      setCommand(shell, '/bin/sh', ['-c', `${h}; ${script}`])
      const env = { TERM: 'xterm', PATH: '/usr/local/bin:/usr/bin:/bin', HOME: dir }
      Object.assign(shell.command, { terminal: { rows: 30, columns: 100 }, env, cwd: project })
      if (caller !== own) Object.assign(shell.command, { user: caller, group: caller })
      await shell.start()
      return { shell, type: shell.openInput() }
    }

    const programs = [
      {
        title: 'vim writes a file',
        needs: ['vim'],
        line: 'vi -u NONE text',
        shows: '"text"',
        keys: 'ihello\x1b:wq\r',
        file: 'text',
        text: /^hello\n$/,
      },
      {
        title: 'python3 knows its size and its name',
        needs: ['python3'],
        line: 'python3 -q',
        shows: '>>> ',
        keys: 'import os; print(*os.get_terminal_size(), os.ttyname(0), file=open("text", "w"))\r\x04',
        file: 'text',
        text: /^100 30 \/dev\/pts\/0\n$/,
      },
      {
        title: 'script records another',
        needs: [],
        line: `script -qc 'stty size; tty; read -r x; echo "got $x"' record`,
        shows: '/dev/pts/1',
        keys: 'abc\r',
        file: 'record',
        text: /30 100\r\n\/dev\/pts\/1\r\nabc\r\ngot abc\r\n/,
      },
      {
        title: 'tmux has one within it',
        needs: ['tmux'],
        line: `tmux -f /dev/null new 'stty size; read -r x; echo "got $x" >text'`,
        shows: '29 100',
        keys: 'abc\r',
        file: 'text',
        text: /^got abc\n$/,
      },
    ] as const

    for (const { title, needs, line, shows, keys, file, text } of programs)
      it(title, async function () {
        requires(this, ...needs)
        const { shell, type } = await terminal(`h run -t -q -w . -- ${line}; echo "code $?"`)
        await untilOutput(shell, shows)
        type.write(keys)
        await untilOutput(shell, 'code 0\r\n')
        const path = join(project, file)
        assert.match(readFileSync(path, 'utf8'), text)
        assert.equal(statSync(path).uid, caller)
      })

    // The first terminal stays to the end: with its shell all that came of it would end, the task as well.
    it('there are /dev/tty and its name, its size follows, it is detached from and attached to, exec -t has another', async () => {
      const { shell, type } = await terminal(
        'h run -t -q -w . --name one -- sh -c \'tty; stty size >/dev/tty; read -r x; until stty size | grep "12 34"; do sleep 0.02; done; read -r x; exit 7\'; echo "left $?"; read -r end',
      )
      assert.match(await untilOutput(shell, '30 100'), /\/dev\/pts\/0\r\n/)
      await shell.resize({ rows: 12, columns: 34 })
      // A size comes by a signal, which may be after a key that was typed later.
      type.write('\r')
      await untilOutput(shell, '12 34\r\n')
      const session = await terminal("h exec -t -q one -- sh -c 'tty; stty size; read -r x'")
      assert.match(await untilOutput(session.shell, '30 100'), /\/dev\/pts\/1\r\n/)
      session.type.write('\r')
      type.write('\x10\x11')
      await untilOutput(shell, 'left 0')
      const again = await terminal('h attach one; echo "code $?"')
      await untilOutput(again.shell, '12 34')
      again.type.write('\r')
      await untilOutput(again.shell, 'code 7')
    })
  })
