import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Command, Executor } from '../../src/index.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { isRoot, strongest, taskUsers } from '../support/identity.ts'
import { asRoot, requires } from '../support/requires.ts'
import { startRecordOf } from '../support/task-key.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, nativePath, parseVerdicts, withoutCall } from './hostile.ts'

const capable = ['CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_DAC_READ_SEARCH']
const withCapabilities: Partial<Command> = {
  user: 'root',
  seccomp: 'off',
  capabilities: capable,
  noNewPrivileges: false,
}

/** The one under test, without what is put before it. */
let program = ''

describe('attack: what exec() brings into a task, where there is no Landlock', function () {
  this.timeout(120_000)

  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  // Landlock keeps a task from all of this (exec-sessions.test.ts). What follows must hold on kernels that
  // have none.
  let inherited: string | undefined
  before(() => {
    inherited = process.env.HOLDFAST_NATIVE
    program = nativePath()
    process.env.HOLDFAST_NATIVE = withoutCall()
  })
  after(() => {
    if (inherited === undefined) delete process.env.HOLDFAST_NATIVE
    else process.env.HOLDFAST_NATIVE = inherited
  })

  for (const user of taskUsers)
    it(`between fork and exec it can be robbed of nothing by ${user} in the task`, () =>
      withWorkbench('linux', async bench => {
        const { tried, met, ...lost } = await watched(bench, { user, seccomp: 'off' })
        assert.deepEqual(lost, {})
        assert.equal(met, '25')
        assert.equal(tried, 'yes', 'it was never seen: the test proves nothing')
      }))

  it(
    'one that may trace it finds there the task’s own root and descriptors, and a file that nobody can write to',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        // This is the watcher's control: it does see and rob them where the kernel lets it.
        const { tried, met, ...lost } = await watched(bench, withCapabilities)
        assert.deepEqual([tried, met], ['yes', '25'])
        for (const what of ['exe', 'root', 'mem', 'ptrace']) assert.ok(what in lost, what)
        const before = digest()
        const seen = await overwritten(bench, withCapabilities, '1')
        assert.deepEqual([seen.open, seen.file], ['ok', '/memfd:holdfast (deleted)'])
        assert.ok(
          ['ETXTBSY', 'EACCES', 'EPERM'].includes(seen['open-for-writing'] ?? ''),
          seen['open-for-writing'],
        )
        assert.notEqual(seen.write, 'ok')
        assert.equal(digest(), before)
      }),
    ),
  )

  for (const [title, loosened] of [
    [`${strongest} in the task`, { user: strongest, seccomp: 'off' }],
    ...(isRoot ? [['root with capabilities', withCapabilities] as const] : []),
  ] as const)
    it(`a program whose interpreter is /proc/self/exe hands ${title} no file of the host (CVE-2019-5736)`, () =>
      withWorkbench('linux', async bench => {
        const before = digest()
        const seen = await trapped(bench, loosened, 'holdfast')
        assert.deepEqual([seen.open, seen.file], ['ok', '/memfd:holdfast (deleted)'])
        for (const attempt of ['write', 'truncate', 'map']) assert.notEqual(seen[attempt], 'ok', attempt)
        assert.equal(digest(), before)
      }))

  it(
    'nor does it on a host that allows no programs in memory: there it is a read-only mount’s',
    asRoot(async () => {
      const before = digest()
      await withVariable('HOLDFAST_NATIVE', withoutCall('memfd_create', constants.errno.EACCES), () =>
        withWorkbench('linux', async bench => {
          // What a mount of nothing but the file calls it.
          const seen = await trapped(bench, withCapabilities, '/')
          // Our own shims execute it all the while, which alone keeps writers out; its mode it does not.
          assert.deepEqual([seen.open, seen.file, seen.chmod], ['ok', '/', 'EROFS'])
          for (const attempt of ['open-for-writing', 'write', 'truncate', 'map'])
            assert.notEqual(seen[attempt], 'ok', attempt)
        }),
      )
      assert.equal(digest(), before)
    }),
  )

  it('control: the same program does overwrite the file of a process of the task', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'overwrite', ['victim'], { user: strongest, seccomp: 'off' })
      await task.start()
      await untilOutput(task, 'ready')
      const session = task.exec(
        '/bin/sh',
        '-c',
        // Until it was met, and then left alone for a moment.
        'cp /bin/sleep /local/victim; while cmp -s /bin/sleep /local/victim; do /local/victim 0.2; sleep 0.3; done',
      )
      assert.equal(await outputOf(session), '')
      await task.wait()
      const seen = parseVerdicts(await output(task))
      assert.deepEqual([seen.open, seen.file, seen.write], ['ok', '/local/victim', 'ok'])
    }))

  it('has three descriptors, none of which leads to the host', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'descriptors')
      task.command.args = []
      const host = bench.shell('echo ready; sleep 1000')
      Object.assign(host.command, { mounts: task.command.mounts, user: strongest })
      await host.start()
      await untilOutput(host, 'ready')
      const lines = (await outputOf(host.exec('/tmp/hostile/descriptors'))).trim().split('\n')
      const descriptors = lines.filter(line => /^\d/.test(line))
      assert.deepEqual(
        descriptors.map(line => line.split(' ').slice(0, 2).join(' ')),
        ['0 ENOTDIR', '1 ENOTDIR', '2 ENOTDIR'],
      )
    }))

  it('runs what lies in the task’s root, not what lies at that path on the host', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'printf "#!/bin/sh\\necho of-the-task\\n" > /tmp/tool; chmod 755 /tmp/tool; echo ready; sleep 1000',
      )
      await task.start()
      await untilOutput(task, 'ready')
      assert.equal(await outputOf(task.exec('/tmp/tool')), 'of-the-task\n')
      const named = task.exec('tool')
      named.command.env.PATH = '/nowhere:/tmp:/usr/bin'
      assert.equal(await outputOf(named), 'of-the-task\n')
      // A file of the host that the task's root does not have.
      const absent = task.exec(program)
      await assert.rejects(absent.start(), { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT' })
    }))

  for (const user of taskUsers)
    it(`does not follow a task of ${user} into mounts of its own making`, () =>
      withWorkbench('linux', async bench => {
        const task = bench.command(
          'unshare',
          '--user',
          '--map-root-user',
          '--mount',
          'sh',
          '-c',
          'mount --bind /bin/false /bin/true && echo ready; sleep 1000',
        )
        // Whoever maps user 0 of outside must have that capability (user_namespaces(7)).
        Object.assign(task.command, { user, seccomp: 'off', capabilities: isRoot ? ['CAP_SETFCAP'] : [] })
        await task.start()
        await untilOutput(task, 'ready')
        await assert.rejects(task.exec('true').start(), {
          code: 'ISOLATION_FAILED',
          stage: 'namespace',
          errno: 'EPERM',
          message: /is not the one it was started with/,
        })
      }))

  it('never enters what has a reused pid', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; sleep 1000')
      await task.start()
      await untilOutput(task, 'ready')
      const path = join(bench.stateDir, 'tasks', task.key, 'start.json')
      const record = startRecordOf(task)
      // As if the number had gone to another process: this very test's.
      const forged = { ...record, task: { ...record.task, pid: process.pid } }
      writeFileSync(path, JSON.stringify(forged))
      const taken = await bench.another().open(task.id())
      await assert.rejects(taken.exec('/bin/true').start(), {
        code: 'START_FAILED',
        stage: 'task',
        errno: 'ESRCH',
      })
      writeFileSync(path, JSON.stringify(record))
    }))

  it('is not stopped by a task that is frozen, nor frozen with what stops it', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; kill -STOP $$; sleep 1000')
      await task.start()
      await untilOutput(task, 'ready')
      assert.equal(await outputOf(task.exec('/bin/echo', 'awake')), 'awake\n')
      const stubborn = task.exec('/bin/sh', '-c', 'trap "" TERM; echo on; kill -STOP $$; sleep 1000')
      await stubborn.start()
      await untilOutput(stubborn, 'on')
      assert.equal((await stubborn.shutdown({ graceMs: 50 })).cause, 'forced')
    }))

  it('a tree of it that forks and daemonises all the time dies with forceStop, or with the task', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; sleep 1000')
      await task.limit({ pids: 64 })
      await task.start()
      await untilOutput(task, 'ready')
      const session = task.exec(
        '/bin/sh',
        '-c',
        'echo on; while :; do (sleep 0.2 &) ; (sleep 1000 &); sleep 0.01; done 2>/dev/null',
      )
      await session.start()
      await untilOutput(session, 'on')
      const { signal, error } = await session.forceStop()
      assert.deepEqual({ signal, error }, { signal: 'SIGKILL', error: null })
      const left = task.exec('/bin/sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n" | grep -c "^1000$"')
      assert.equal(await outputOf(left), '1\n', 'the sleep of the task itself')
    }))
})

/** What a watcher in the task got hold of while twenty-five commands came in. */
async function watched(bench: Workbench, loosened: Partial<Command>): Promise<Record<string, string>> {
  const task = attacker(bench, 'watcher', ['25'], loosened)
  await task.start()
  await untilOutput(task, 'ready')
  for (let round = 0; round < 400 && task.state === 'running'; round++) {
    const session = task.exec('/bin/true')
    await session.start().catch(() => {})
    await session.wait().catch(() => {})
    await session.destroy()
  }
  await task.wait()
  const { ready: _, ...verdicts } = parseVerdicts(await output(task), await output(task, 'stderr'))
  return verdicts
}

async function overwritten(
  bench: Workbench,
  loosened: Partial<Command>,
  whose: string,
): Promise<Record<string, string>> {
  const task = attacker(bench, 'overwrite', [whose], loosened)
  await task.start()
  await task.wait()
  return parseVerdicts(await output(task), await output(task, 'stderr'))
}

/** What it came to when the task lay in wait for our file, and its own script led to it. */
async function trapped(
  bench: Workbench,
  loosened: Partial<Command>,
  file: string,
): Promise<Record<string, string>> {
  const task = attacker(bench, 'overwrite', [file], loosened)
  await task.start()
  await untilOutput(task, 'ready')
  await plant(task)
  for (let round = 0; round < 400 && task.state === 'running'; round++) {
    const session = task.exec('/local/trap')
    await session.start().catch(() => {})
    await session.wait().catch(() => {})
    await session.destroy()
    if ((await output(task)).includes('open')) break
  }
  await task.wait()
  return parseVerdicts(await output(task))
}

async function plant(task: Executor): Promise<void> {
  const planted = task.exec(
    '/bin/sh',
    '-c',
    'echo "#!/proc/self/exe" > /local/trap; chmod 755 /local/trap; echo done',
  )
  assert.equal(await outputOf(planted), 'done\n')
}

function digest(): string {
  return createHash('sha256').update(readFileSync(program)).digest('hex')
}
