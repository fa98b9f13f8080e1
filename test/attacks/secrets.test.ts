import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Command, type Executor, newBasicExecutor, setCommand } from '../../src/index.ts'
import { inspector } from '../../src/inspector/index.ts'
import { encodeLaunch } from '../../src/spawn/wire.ts'
import { ask, listen } from '../inspector/client.ts'
import { eventually } from '../support/eventually.ts'
import { isRoot } from '../support/identity.ts'
import { minimalSpec } from '../support/launch-spec.ts'
import { outputOf, untilOutput } from '../support/output.ts'
import { parentOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'
import { nativePath } from './hostile.ts'
import { memoryHas, regionsWith } from './process-memory.ts'

/** What no other bytes of this host are by chance. */
const newMarker = () => `marker-${randomBytes(12).toString('hex')}`

/** A shell that says it is there, and then waits. */
const waiting = 'echo up; exec sleep 60'

function withSecrets(bench: Workbench, script: string, secrets: NonNullable<Command['secrets']>): Executor {
  const task = bench.shell(script)
  task.command.secrets = secrets
  return task
}

/** Files below a directory that hold the text, also as the digits in which it travels. */
function filesWith(directory: string, text: string): string[] {
  const hex = Buffer.from(text).toString('hex')
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => {
      const bytes = readFileSync(path)
      return bytes.includes(text) || bytes.includes(hex)
    })
}

type Processes = {
  readonly shim: number
  readonly init: number
  readonly task: number
  readonly spawner: number
}

function processesOf(bench: Workbench, { key }: Executor): Processes {
  const record = JSON.parse(readFileSync(join(bench.stateDir, 'tasks', key, 'start.json'), 'utf8')) as Record<
    'shim' | 'init' | 'task',
    { pid: number }
  >
  const spawner = parentOf(record.shim.pid)
  return { shim: record.shim.pid, init: record.init.pid, task: record.task.pid, spawner }
}

function proc(pid: number, name: string): string {
  return readFileSync(`/proc/${pid}/${name}`, 'latin1')
}

describe('secrets of a task', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('are files in memory that its user alone reads and nobody writes, byte for byte, and variables name the directory', () =>
    withWorkbench('linux', async bench => {
      const script = [
        'cd "$HOLDFAST_SECRETS_DIR" && [ "$NOMAD_SECRETS_DIR" = "$PWD" ] && pwd',
        'stat -c "%n %a %u" . * | sed "s/ $(id -u)\\$/ own/"',
        'od -An -tx1 bytes; cat text; wc -c <empty',
        'grep " /secrets " /proc/self/mountinfo | cut -d" " -f6,9',
        'for f in new text; do (echo x >$f) 2>/dev/null && echo "written $f"; done',
        'cp /bin/true x 2>/dev/null; rm -f text 2>/dev/null; ls',
      ].join('\n')
      const secrets = { bytes: Uint8Array.of(0, 255, 10, 0), text: 'für dich\n', empty: '' }
      const said = await outputOf(withSecrets(bench, script, secrets))
      assert.equal(
        Buffer.from(said, 'latin1').toString(),
        '/secrets\n. 500 own\nbytes 400 own\nempty 400 own\ntext 400 own\n 00 ff 0a 00\nfür dich\n0\n' +
          'ro,nosuid,nodev,noexec,relatime ramfs\nbytes\nempty\ntext\n',
      )
    }))

  it('are in a row of their own, and a task without any has neither row, directory nor variables', () =>
    withWorkbench('linux', async bench => {
      const some = withSecrets(bench, 'true', { one: '1', two: '2' })
      await outputOf(some)
      assert.deepEqual(
        some.enforcement.filter(({ name }) => name === 'secrets').map(row => [row.requested, row.status]),
        [['one, two', 'enforced']],
      )
      const none = bench.shell('env | grep SECRETS; ls -d /secrets 2>/dev/null; true')
      assert.equal(await outputOf(none), '')
      assert.ok(none.enforcement.every(({ name }) => name !== 'secrets'))
    }))

  it('are nowhere in the state directory and in no process but the task, where what is planted is found', () =>
    withWorkbench('linux', async bench => {
      const secret = newMarker()
      const planted = newMarker()
      const task = withSecrets(bench, waiting, { token: secret })
      task.command.env = { PLANTED: planted }
      await task.start()
      await untilOutput(task, 'up')
      assert.ok(filesWith(bench.stateDir, planted).some(path => path.endsWith('task.json')))
      assert.deepEqual(filesWith(bench.stateDir, secret), [])
      const { shim, init, task: leader, spawner } = processesOf(bench, task)
      assert.ok(proc(leader, 'environ').includes(planted))
      assert.ok(proc(leader, 'environ').includes('HOLDFAST_SECRETS_DIR=/secrets'))
      for (const pid of isRoot ? [shim, init, leader, spawner] : [leader, spawner])
        for (const name of ['environ', 'cmdline'])
          assert.ok(!proc(pid, name).includes(secret), `${pid}/${name}`)
      if (isRoot)
        for (const pid of [shim, init, spawner]) {
          // That memory can be searched at all: what our own processes are called.
          assert.ok(memoryHas(pid, 'holdfast'), `${pid}`)
          for (const text of [secret, Buffer.from(secret).toString('hex')])
            assert.ok(!memoryHas(pid, text), `${pid} has it in its memory`)
        }
      await task.forceStop()
      assert.deepEqual(filesWith(bench.stateDir, secret), [])
    }))

  it('are gone from the command, the records and whatever tells of the task', () =>
    withWorkbench('linux', async bench => {
      const secret = newMarker()
      const planted = newMarker()
      const task = withSecrets(bench, 'true', { token: secret })
      task.command.env = { PLANTED: planted }
      await outputOf(task)
      const told = JSON.stringify([
        task.command,
        task.context,
        task.enforcement,
        task.actor.getPersistedSnapshot(),
        await task.wait(),
        await bench.supervisor.history(task.key),
      ])
      assert.ok(told.includes(planted))
      assert.ok(!told.includes(secret))
      assert.ok(!Object.hasOwn(task.command, 'secrets'))
    }))

  it("are seen by what is exec'ed into the task, also by a supervisor that found it running", () =>
    withWorkbench('linux', async bench => {
      const task = withSecrets(bench, waiting, { token: 'abc' })
      await task.start()
      const look = ['/bin/sh', '-c', 'cat "$HOLDFAST_SECRETS_DIR/token" "$NOMAD_SECRETS_DIR/token"'] as const
      assert.equal(await outputOf(bench.exec(task, ...look)), 'abcabc')
      const other = bench.another()
      const found = await other.open(task.id())
      assert.equal(await outputOf(bench.exec(found, ...look)), 'abcabc')
      const guest = bench.exec(found, '/bin/true')
      guest.command.secrets = { more: 'x' }
      await assert.rejects(guest.start(), {
        code: 'INVALID_ARGUMENT',
        message: /^command\.secrets: exec\(\) takes none/,
      })
      await task.forceStop()
    }))

  it('are on no page of the inspector, where the name of the task is', function () {
    requires(this, 'page')
    return withWorkbench('linux', async bench => {
      const secret = newMarker()
      const task = withSecrets(bench, waiting, { token: secret })
      const name = newMarker()
      task.command.name = name
      await task.start()
      await untilOutput(task, 'up')
      const page = await inspector({ supervisor: bench.supervisor })
      try {
        const of = `/api/tasks/${task.key}`
        const paths = [of, `${of}/history`]
        const answers = await Promise.all(paths.map(path => ask(page, { path })))
        const events = await listen(page, '/api/events', messages => JSON.stringify(messages).includes(name))
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200],
        )
        const told = JSON.stringify([answers, events])
        assert.ok(told.includes(name))
        assert.ok(!told.includes(secret))
      } finally {
        await page.close()
      }
      await task.forceStop()
    })
  })

  it('are taken by run() among its options, and its result tells nothing of them', () =>
    withWorkbench('linux', async bench => {
      const secret = newMarker()
      const command = 'sha256sum </secrets/token'
      const result = await bench.supervisor.run('/bin/sh', ['-c', command], { secrets: { token: secret } })
      const digest = createHash('sha256').update(secret).digest('hex')
      assert.equal(result.output, `${digest}  -\n`)
      assert.ok(!JSON.stringify(result).includes(secret))
    }))

  it("are not another task's", () =>
    withWorkbench('linux', async bench => {
      const task = withSecrets(bench, waiting, { token: newMarker() })
      await task.start()
      await untilOutput(task, 'up')
      const { task: leader } = processesOf(bench, task)
      const other = bench.shell(`cat /secrets/token /proc/${leader}/root/secrets/token 2>/dev/null; echo $?`)
      assert.equal(await outputOf(other), '1\n')
      await task.forceStop()
    }))

  it('hide what lies in the task directory under their name, and say so', () =>
    withWorkbench('linux', async bench => {
      const task = withSecrets(bench, 'ls /secrets', { token: '1' })
      const alloc = new AllocDir(bench.directory('alloc'))
      await alloc.build(['web'])
      await task.configureTaskDir('web', alloc)
      mkdirSync(join(alloc.path, 'web', 'secrets'))
      assert.equal(await outputOf(task), 'token\n')
      const rows = task.enforcement.filter(({ name }) => name === 'root')
      assert.ok(rows.some(({ status, reason }) => status === 'skipped' && reason?.startsWith('/secrets is')))
    }))

  it('are refused where nobody could keep them: nothing starts', () =>
    withWorkbench('linux', async bench => {
      const refused: readonly (readonly [Partial<Command>, string, RegExp])[] = [
        [{ root: 'host' }, 'UNSUPPORTED', /^command\.secrets: they need a root of the task's own/],
        [{ namespaces: { mount: false } }, 'UNSUPPORTED', /^command\.secrets: they need a root/],
        [{ tmpfs: [{ target: '/secrets/' }] }, 'INVALID_ARGUMENT', /cannot go with a mount at \/secrets:/],
        [
          { mounts: [{ source: '/usr', target: '/secrets/usr' }] },
          'INVALID_ARGUMENT',
          /cannot go with a mount at \/secrets\/usr:/,
        ],
      ]
      for (const [command, code, message] of refused) {
        const task = withSecrets(bench, 'true', { token: 'x' })
        Object.assign(task.command, command)
        await assert.rejects(task.start(), { code, message })
      }
      const basic = newBasicExecutor()
      setCommand(basic, '/bin/true', [])
      basic.command.secrets = { token: 'x' }
      await assert.rejects(basic.start(), {
        code: 'UNSUPPORTED',
        message: /^command\.secrets: the basic executor/,
      })
    }))

  it('are in no core dump of the spawner, amid a request', async function () {
    if (!isRoot) return this.skip()
    const secret = newMarker()
    const hex = Buffer.from(secret).toString('hex')
    const frame = encodeLaunch(1, {
      ...minimalSpec,
      secrets: [{ name: 'token', bytes: Buffer.from(secret) }],
    })
    const spawner = spawn(nativePath(), ['spawner'], { stdio: ['pipe', 'ignore', 'ignore'] })
    try {
      // All but its last byte: it waits for that with the secret in its hands.
      spawner.stdin.write(frame.subarray(0, -1))
      const pid = spawner.pid ?? assert.fail()
      await eventually(() => assert.ok(regionsWith(pid, hex).length > 0))
      for (const { flags } of regionsWith(pid, hex)) assert.ok(flags.includes('dd'), flags.join(' '))
      // The control: other memory of it would be in the dump.
      assert.ok(regionsWith(pid, 'holdfast').some(({ flags }) => !flags.includes('dd')))
    } finally {
      spawner.kill('SIGKILL')
    }
  })
})
