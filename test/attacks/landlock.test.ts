import { strict as assert } from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from '../../src/index.ts'
import { nativeFeatures } from '../../src/spawn/probe.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, nativePath, newMark, parseVerdicts, verdicts, withoutCall } from './hostile.ts'

/** Everybody may read and write there, and nobody of the tasks is shown it. */
function hostDirectory(): string {
  const directory = temporaryDirectory('host')
  chmodSync(directory, 0o777)
  writeFileSync(join(directory, 'file'), 'of the host')
  return directory
}

async function listening(address: string, cwd = '/'): Promise<ChildProcess> {
  const door = spawn(compiled('door'), ['listen', address, hostDirectory()], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve, reject) => {
    door.stdout.once('data', resolve)
    door.once('exit', code => reject(new Error(`the door ended with ${code}`)))
  })
  return door
}

/** What a task gets by a socket that a process of the host offers in the abstract name space. */
async function byAbstractSocket(bench: Workbench) {
  const address = `@${newMark()}`
  const door = await listening(address)
  try {
    const task = attacker(bench, 'door', ['connect', address, 'file'])
    return await verdicts(task)
  } finally {
    door.kill('SIGKILL')
  }
}

/** The same by a socket file in the task's allocation, for a task without a network. */
async function bySocketFile(bench: Workbench) {
  const task = attacker(bench, 'door', ['connect', '/alloc/data/door', 'file'], { network: 'none' })
  await task.start()
  const door = await listening('door', join(bench.stateDir, 'allocs', task.key, 'alloc/data'))
  try {
    await task.wait()
    return parseVerdicts(await output(task, 'stdout'), await output(task, 'stderr'))
  } finally {
    door.kill('SIGKILL')
  }
}

const open = { connect: 'ok', descriptor: 'ok', file: 'ok', list: 'ok', create: 'ok' }

describe('attack: a process of the host hands a task one of its directories', () => {
  before(function () {
    requires(this, 'root', 'linux', 'native')
    if ((nativeFeatures(nativePath())?.landlock ?? 0) < 6) this.skip()
  })

  it('abstract sockets of others are refused', () =>
    withWorkbench('linux', async bench => {
      assert.deepEqual(await byAbstractSocket(bench), { connect: 'EPERM' })
    }))

  it('by a socket file the descriptor comes, and opens nothing', () =>
    withWorkbench('linux', async bench => {
      const refused = { file: 'EACCES', list: 'EACCES', create: 'EACCES' }
      assert.deepEqual(await bySocketFile(bench), { ...open, ...refused })
    }))

  it('control: without Landlock the task walks the host by either', () =>
    withVariable('HOLDFAST_NATIVE', withoutCall(), () =>
      withWorkbench('linux', async bench => {
        assert.deepEqual(await byAbstractSocket(bench), open)
        assert.deepEqual(await bySocketFile(bench), open)
      }),
    ))
})

describe('Landlock', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if ((nativeFeatures(nativePath())?.landlock ?? 0) === 0) this.skip()
  })

  const script = `
    set -e
    ls / /usr /proc/self /dev >/dev/null
    mkdir /local/a /local/b; echo text > /local/a/file
    mv /local/a/file /local/b/; ln /local/b/file /local/a/again; ln -s file /local/b/link; : > /local/b/link
    mv /local/b/file /tmp/; mkfifo /alloc/data/fifo; cp /tmp/file /dev/shm/; rm -r /local/a
    truncate -s 5 /tmp/file
    echo output > /dev/stdout; echo errors > /dev/stderr; cat /dev/stdin; echo nothing > /dev/null
    head -c 1 /dev/urandom > /dev/null; cat /etc/hosts > /dev/null
    echo 5 > /proc/self/oom_score_adj
    (exec 3<>/dev/ptmx)
    cp /bin/true /tmp/copy; /tmp/copy
    echo everything`

  it('leaves a task what programs do: files moved, linked and cut, streams opened by name, terminals', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(script)
      await task.start()
      const row = task.enforcement.find(({ name }) => name === 'landlock')
      assert.notEqual(row?.status, 'skipped')
      await task.wait()
      assert.match(await output(task, 'stdout'), /output\n(?:.*\n)*everything\n$/)
    }))

  it('leaves what exec() brings in the same', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('sleep', '1000')
      await task.start()
      const session = task.exec('sh', '-c', script)
      assert.match(await outputOf(session), /output\n(?:.*\n)*everything\n$/)
    }))

  const objects = [
    ...['mq_open', 'shm_open', 'sem_open', 'memfd_create', 'tmpfile-tmp', 'tmpfile-local'],
    ...['socket-tmp', 'socket-local', 'socket-abstract', 'inotify-tmp', 'inotify-local', 'system-v'],
  ]
  const allOk = Object.fromEntries(objects.map(name => [name, 'ok']))

  for (const [where, loosened] of [
    ['in a shared root', {}],
    ['in a root of its own', { tmpfs: [{ target: '/scratch', sizeBytes: 1 << 20 }] }],
    ['without a network', { network: 'none' }],
  ] as const satisfies readonly (readonly [string, Partial<Command>])[])
    it(`leaves a task what it shares with itself by name: queues, memory, sockets, watches, ${where}`, () =>
      withWorkbench('linux', async bench => {
        const mounts = [{ source: dirname(compiled('own_objects')), target: '/tmp/hostile', readOnly: true }]
        const task = bench.command('/tmp/hostile/own_objects')
        Object.assign(task.command, { mounts, ...loosened })
        assert.deepEqual(await verdicts(task), allOk)
      }))

  it('leaves what exec() brings in the same, and the queues of its task', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'holds', ['queues'])
      await task.start()
      await untilOutput(task, 'ready')
      const seen = task.exec('sh', '-c', 'ls /dev/mqueue | head -n 1; cat /dev/mqueue/q0')
      assert.match(await outputOf(seen), /^q0\nQSIZE:/)
      await task.forceStop()
      compiled('own_objects')
      const quiet = attacker(bench, 'holds', ['memory'])
      await quiet.start()
      await untilOutput(quiet, 'ready')
      assert.deepEqual(await verdicts(quiet.exec('/tmp/hostile/own_objects')), allOk)
      await quiet.forceStop()
    }))

  it("keeps a task with the host's IPC namespace from the host's queues", () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'own_objects', [], { namespaces: { ipc: false } })
      assert.equal((await verdicts(task)).mq_open, 'EACCES')
    }))

  it("a task sees no other's queues", () =>
    withWorkbench('linux', async bench => {
      const other = attacker(bench, 'holds', ['queues'])
      await other.start()
      await untilOutput(other, 'ready')
      const task = bench.shell('ls -A /dev/mqueue; echo looked')
      assert.equal(await outputOf(task), 'looked\n')
      await other.forceStop()
    }))

  it('is not there for who may mount, and the row says so', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('true')
      task.command.seccomp = 'off'
      await task.start()
      const row = task.enforcement.find(({ name }) => name === 'landlock')
      assert.deepEqual([row?.status, row?.chosen], ['skipped', true])
      assert.match(row?.reason ?? '', /seccomp: 'off'/)
    }))
})
