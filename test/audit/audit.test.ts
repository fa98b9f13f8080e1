import { strict as assert } from 'node:assert'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { audit, type Executor, type Leftover } from '../../src/index.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { shimAlive } from '../../src/spawn/alive.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { cgroupsOf, processesOf, taskProcesses } from '../support/leftovers.ts'
import { untilOutput } from '../support/output.ts'
import { isAlive } from '../../src/spawn/process-table.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

describe('audit', () => {
  before(function () {
    requires(this, 'linux', 'native')
  })

  it('finds nothing in a state directory that is not there, and does not make it', async () => {
    const stateDir = join(temporaryDirectory('absent'), 'state')
    assert.deepEqual(ours(await audit({ stateDir, fix: true }), stateDir), [])
    assert.equal(existsSync(stateDir), false)
  })

  it('finds nothing where tasks run, have ended, failed to start and were destroyed', () =>
    withWorkbench('basic', async bench => {
      const supervisor = bench.another({ orphans: 'kill' })
      const [runs, ended, failed, destroyed] = [['sleep', '1000'], ['true'], ['/nonexistent'], ['true']].map(
        ([name = '', ...args]) => bench.commandOf(supervisor, name, ...args),
      ) as [Executor, Executor, Executor, Executor]
      await runs.start()
      await ended.start()
      await failed.start().catch(() => {})
      await destroyed.start()
      await Promise.all([ended.wait(), destroyed.destroy()])
      await ageAll(bench.stateDir)
      const files = everything(bench.stateDir)
      assert.deepEqual(ours(await audit({ stateDir: bench.stateDir, fix: true }), bench.stateDir), [])
      assert.deepEqual(everything(bench.stateDir), files)
      assert.equal(runs.state, 'running')
      assert.equal((await runs.forceStop()).cause, 'forced')
    }))

  describe('of records', () => {
    it('removes a directory that was never quite made, with its allocation, once it is some seconds old', () =>
      withWorkbench('basic', async bench => {
        const key = newTaskKey()
        const [dir, alloc] = ['tasks', 'allocs'].map(name => join(bench.stateDir, name, key)) as [
          string,
          string,
        ]
        for (const path of [dir, join(alloc, 'alloc')]) mkdirSync(path, { recursive: true })
        writeFileSync(join(dir, 'task.json.tmp'), '{')
        assert.deepEqual(await found(bench), [])
        age(dir)
        assert.deepEqual(await found(bench), [['task', dir, false]])
        assert.deepEqual(await found(bench, true), [['task', dir, true]])
        assert.deepEqual([existsSync(dir), existsSync(alloc)], [false, false])
        assert.deepEqual(await found(bench, true), [])
      }))

    it('kills what is left of a task whose shim is gone and whose task.json is, too', () =>
      withWorkbench('basic', async bench => {
        const task = bench.shell('sleep 1000 & echo ready; sleep 1000')
        await task.start()
        await untilOutput(task, 'ready')
        const [key, dir] = [keyOf(task), directoryOf(task)]
        await bench.supervisor.close()
        await killShim(task)
        rmSync(join(dir, 'task.json'))
        age(dir)
        assert.ok(processesOf(key).length > 0, 'children live on without the shim')
        assert.deepEqual(await found(bench, true), [['task', dir, true]])
        assert.deepEqual(processesOf(key), [])
      }))

    it('leaves one alone that has a shim at work in it, or a task.json that cannot be read', () =>
      withWorkbench('basic', async bench => {
        const [runs, ended] = [bench.command('/bin/sleep', '1000'), bench.command('/bin/true')]
        for (const task of [runs, ended]) await task.start()
        await ended.wait()
        const text = readFileSync(join(directoryOf(runs), 'task.json'))
        await bench.supervisor.close()
        rmSync(join(directoryOf(runs), 'task.json'))
        writeFileSync(join(directoryOf(ended), 'task.json'), 'damaged')
        await ageAll(bench.stateDir)
        assert.deepEqual(await found(bench, true), [])
        assert.ok(taskProcesses(keyOf(runs)).length > 0)
        writeFileSync(join(directoryOf(runs), 'task.json'), text)
        await bench.another().discard(keyOf(ended))
      }))

    it('removes temporary files of ended tasks, and no others', () =>
      withWorkbench('basic', async bench => {
        const [runs, ended] = [bench.command('/bin/sleep', '1000'), bench.command('/bin/true')]
        for (const task of [runs, ended]) await task.start()
        await ended.wait()
        const planted = [runs, ended].flatMap(task =>
          ['task.json.tmp', 'task.json.later', 'notes'].map(name => join(directoryOf(task), name)),
        )
        for (const path of planted) writeFileSync(path, 'x')
        assert.deepEqual(await found(bench, true), [])
        for (const path of planted) age(path)
        while (shimAlive(directoryOf(ended))) await setImmediate()
        const expected = ['later', 'tmp'].map(name => [
          'file',
          `${directoryOf(ended)}/task.json.${name}`,
          true,
        ])
        assert.deepEqual((await found(bench, true)).sort(), expected)
        assert.deepEqual(planted.filter(path => existsSync(path)).length, 4)
      }))

    it('removes allocations whose task is gone, and only what has a key for a name', () =>
      withWorkbench('basic', async bench => {
        const task = bench.command('/bin/sleep', '1000')
        await task.start()
        const names = [newTaskKey(), newTaskKey(), 'somebodys-data', keyOf(task)]
        const [gone = '', young = '', ...others] = names.map(name => join(bench.stateDir, 'allocs', name))
        for (const path of [gone, young, others[0] ?? ''])
          mkdirSync(join(path, 'alloc', 'logs'), { recursive: true })
        writeFileSync(join(gone, 'alloc', 'logs', 'x.stdout'), 'lines')
        for (const path of [gone, ...others]) age(path)
        assert.deepEqual(await found(bench, true), [['allocation', gone, true]])
        assert.deepEqual(
          [gone, young, ...others].map(path => existsSync(path)),
          [false, true, true, true],
        )
        rmSync(young, { recursive: true })
        rmSync(others[0] ?? '', { recursive: true })
      }))

    it('ends a task whose record somebody has deleted while it runs; until then its allocation is left alone', function () {
      requires(this, 'root')
      return withWorkbench('basic', async bench => {
        const task = bench.command('/bin/sleep', '1000')
        await task.start()
        const [key, dir, { task: leader }] = [keyOf(task), directoryOf(task), startRecordOf(task)]
        await bench.supervisor.close()
        rmSync(dir, { recursive: true })
        const allocation = join(bench.stateDir, 'allocs', key)
        age(allocation)
        assert.deepEqual(await found(bench, false), [['task', dir, false]])
        assert.ok(isAlive(leader))
        assert.deepEqual(await found(bench, true), [
          ['task', dir, true],
          ['allocation', allocation, true],
        ])
        assert.ok(!isAlive(leader))
      })
    })

    it('removes the FIFO of a supervisor that is gone, and not that of one that lives', () =>
      withWorkbench('basic', async bench => {
        const supervisor = bench.another({ orphans: 'kill' })
        const task = bench.commandOf(supervisor, '/bin/sleep', '1000')
        await task.start()
        const dir = join(bench.stateDir, 'supervisors')
        const stale = join(dir, '1-0123456789ab')
        execFileSync('mkfifo', [stale, join(dir, 'not-ours')])
        assert.deepEqual(await found(bench, true), [])
        for (const name of readdirSync(dir)) age(join(dir, name))
        assert.deepEqual(await found(bench, true), [['supervisor', stale, true]])
        assert.equal(readdirSync(dir).length, 2)
        assert.equal(task.state, 'running')
      }))

    it('shows mounts in the state directory and leaves them to whoever made them', async function () {
      requires(this, 'root')
      await withWorkbench('basic', async bench => {
        const point = join(bench.stateDir, 'disk')
        mkdirSync(point)
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', point])
        try {
          assert.deepEqual(await found(bench, true), [['mount', point, false]])
        } finally {
          execFileSync('umount', [point])
        }
      })
    })
  })

  describe('of cgroups', () => {
    before(function () {
      requires(this, 'root', 'cgroup-v1')
    })

    it('removes those of a task whose supervisor and shim were killed', () =>
      withWorkbench('linux', async bench => {
        const task = bench.command('/bin/sleep', '1000')
        await task.start()
        const key = keyOf(task)
        await bench.supervisor.close()
        const cgroups = cgroupsOf(key)
        assert.ok(cgroups.length > 0)
        assert.deepEqual(await found(bench, true), [], 'a shim is at work')
        await killShim(task)
        const paths = (await found(bench)).map(([kind, path]) => [kind, path])
        assert.deepEqual(paths.sort(), cgroups.map(path => ['cgroup', path]).sort())
        assert.ok((await found(bench, true)).every(([, , fixed]) => fixed))
        assert.deepEqual([cgroupsOf(key), processesOf(key)], [[], []])
        assert.deepEqual(await found(bench, true), [])
        assert.deepEqual((await bench.another().openAll()).lost, [key], 'its end is still to be told')
      }))

    it('kills what is left in them', () =>
      withWorkbench('linux', async bench => {
        const task = bench.shell('sleep 1000 & echo ready; sleep 1000')
        task.command.namespaces = { pid: false }
        await task.start()
        await untilOutput(task, 'ready')
        const key = keyOf(task)
        await bench.supervisor.close()
        await killShim(task)
        assert.ok(taskProcesses(key).length > 0, 'children live on without the shim')
        const report = await audit({ stateDir: bench.stateDir })
        assert.match(ours(report, bench.stateDir, key)[0]?.why ?? '', /processes of task .* are left/)
        assert.ok((await found(bench, true)).every(([kind, , fixed]) => kind === 'cgroup' && fixed))
        assert.deepEqual([cgroupsOf(key), processesOf(key)], [[], []])
      }))

    it("leaves those of another state directory's tasks alone, running or just over", () =>
      withWorkbench('linux', async bench => {
        const task = bench.command('/bin/sleep', '1000')
        await task.start()
        const cgroups = cgroupsOf(keyOf(task))
        for (const path of cgroups) age(path)
        const stateDir = temporaryDirectory('other')
        assert.deepEqual(ours(await audit({ stateDir, fix: true }), stateDir, keyOf(task)), [])
        // Nothing is in them any more, but their shim lives (it cannot run), and has yet to read what they
        // counted.
        const { shim, init } = startRecordOf(task)
        process.kill(shim.pid, 'SIGSTOP')
        try {
          process.kill(init?.pid ?? assert.fail(), 'SIGKILL')
          while (cgroups.some(path => readFileSync(join(path, 'cgroup.procs'), 'utf8') !== ''))
            await setImmediate()
          assert.deepEqual(ours(await audit({ stateDir, fix: true }), stateDir, keyOf(task)), [])
          assert.deepEqual(cgroupsOf(keyOf(task)), cgroups)
        } finally {
          process.kill(shim.pid, 'SIGCONT')
        }
        assert.equal((await task.wait()).evidence, 'record')
      }))

    it('leaves them alone while the shim of an ended task removes them, for which wait() does not wait and destroy() does', () =>
      withWorkbench('linux', async bench => {
        const task = bench.command('/bin/sleep', '1000')
        await task.start()
        const cgroups = cgroupsOf(keyOf(task))
        // A cgroup with another in it cannot be removed: the shim has to try again.
        const held = cgroups.map(path => join(path, 'held'))
        for (const path of held) mkdirSync(path)
        assert.equal((await task.forceStop()).evidence, 'record')
        assert.ok(shimAlive(directoryOf(task)), 'it is at work yet')
        for (const path of cgroups) age(path)
        assert.deepEqual(await found(bench, true), [])
        assert.deepEqual(cgroupsOf(keyOf(task)), cgroups)
        let destroyed = false
        const destroying = task.destroy().then(() => (destroyed = true))
        await setImmediate()
        assert.equal(destroyed, false)
        for (const path of held) rmdirSync(path)
        await destroying
        assert.deepEqual([cgroupsOf(keyOf(task)), processesOf(keyOf(task))], [[], []])
      }))

    const { v1, v2 } = detectCgroups()
    for (const [version, mount] of [
      ['v1', v1.get('memory')],
      ['v2', v2?.mount],
    ] as const)
      describe(`that nobody here knows (${version})`, () => {
        const parent = join(mount ?? '', 'holdfast')
        let dir: string
        let member: ChildProcess | undefined
        let key: string

        before(function () {
          if (mount === undefined) this.skip()
        })
        beforeEach(() => {
          key = newTaskKey()
          dir = join(parent, key)
          mkdirSync(join(dir, 'inner'), { recursive: true })
        })
        afterEach(async () => {
          if (member !== undefined) {
            const { exitCode, signalCode } = member
            member.kill('SIGKILL')
            if (exitCode === null && signalCode === null)
              await new Promise(resolve => member?.once('close', resolve))
            member = undefined
          }
          for (const path of [join(dir, 'inner'), dir]) if (existsSync(path)) rmdirSync(path)
        })

        it('removes them when they are empty and some seconds old, with the groups below', () =>
          withWorkbench('linux', async bench => {
            assert.deepEqual(await found(bench, true, key), [])
            age(dir)
            assert.deepEqual(await found(bench, false, key), [['cgroup', dir, false]])
            assert.deepEqual(await found(bench, true, key), [['cgroup', dir, true]])
            assert.equal(existsSync(dir), false)
          }))

        for (const at of ['.', 'inner'])
          it(`names the processes in one (${at}), and kills them when asked to`, () =>
            withWorkbench('linux', async bench => {
              member = spawn('/bin/sleep', ['1000'])
              writeFileSync(join(dir, at, 'cgroup.procs'), String(member.pid))
              assert.deepEqual(await found(bench, true, key), [], 'it is young')
              age(dir)
              const [named] = ours(await audit({ stateDir: bench.stateDir }), key)
              assert.match(
                named?.why ?? '',
                new RegExp(`sleep \\(pid ${member.pid}\\), and there is no task ${key}`),
              )
              assert.equal(member.exitCode ?? member.signalCode, null, 'looking does not touch it')
              assert.deepEqual(await found(bench, true, key), [['cgroup', dir, true]])
              assert.equal(existsSync(dir), false)
            }))

        it('leaves the members of one alone that have a shim above them, wherever that lives', () =>
          withWorkbench('linux', async bench => {
            const shim = join(temporaryDirectory('shim'), 'holdfast-shim')
            copyFileSync('/bin/bash', shim)
            member = spawn(shim, ['-c', 'sleep 1000 & echo $!; wait 2>/dev/null'], {
              stdio: ['ignore', 'pipe', 'inherit'],
            })
            const pid = String(await new Promise(resolve => member?.stdout?.once('data', resolve))).trim()
            writeFileSync(join(dir, 'cgroup.procs'), pid)
            age(dir)
            try {
              assert.deepEqual(await found(bench, true, key), [])
              // A member of that name is no shim.
              writeFileSync(join(dir, 'cgroup.procs'), String(member.pid))
              assert.deepEqual(await found(bench, false, key), [['cgroup', dir, false]])
            } finally {
              process.kill(Number(pid), 'SIGKILL')
            }
          }))

        it('leaves one alone while a process has a file of its task open, wherever', () =>
          withWorkbench('linux', async bench => {
            const elsewhere = join(temporaryDirectory('elsewhere'), 'tasks', key)
            mkdirSync(elsewhere, { recursive: true })
            member = spawn('/bin/sh', ['-c', `exec 3>${elsewhere}/x; echo; exec sleep 1000`], {
              stdio: ['ignore', 'pipe', 'inherit'],
            })
            await new Promise(resolve => member?.stdout?.once('data', resolve))
            age(dir)
            assert.deepEqual(await found(bench, true, key), [])
            assert.ok(existsSync(dir))
          }))

        it('leaves one alone whose name is no key', () =>
          withWorkbench('linux', async bench => {
            const strange = join(parent, `my-${key}`)
            mkdirSync(strange)
            try {
              age(strange)
              assert.deepEqual(await found(bench, true, `my-${key}`), [])
              assert.ok(existsSync(strange))
            } finally {
              rmdirSync(strange)
            }
          }))
      })
  })
})

/**
 * What was found in this test's own directory and cgroups: others on this host have leftovers of their own.
 */
async function found(bench: Workbench, fix = false, key?: string): Promise<[string, string, boolean][]> {
  const report = await audit({ stateDir: bench.stateDir, fix })
  return ours(report, bench.stateDir, ...bench.keys(), ...(key === undefined ? [] : [key])).map(
    ({ kind, path, fixed }) => [kind, path, fixed],
  )
}

function ours(report: { leftovers: readonly Leftover[] }, ...marks: readonly string[]): Leftover[] {
  return report.leftovers.filter(({ path }) => marks.some(mark => path.includes(mark)))
}

async function killShim(task: Executor): Promise<void> {
  const { shim, init } = startRecordOf(task)
  process.kill(shim.pid, 'SIGKILL')
  while (shimAlive(directoryOf(task))) await setImmediate()
  // The namespace goes with its first process, which goes with the shim.
  while (init !== null && existsSync(`/proc/${init.pid}/root/.`)) await setImmediate()
}

/** Makes it look as if nothing had happened there for an hour. */
function age(path: string): void {
  const then = new Date(Date.now() - 3_600_000)
  utimesSync(path, then, then)
}

async function ageAll(path: string): Promise<void> {
  // What the supervisor writes some time soon must not make it young again.
  await new Promise(resolve => setTimeout(resolve, 100))
  for (const name of readdirSync(path, { recursive: true })) age(join(path, String(name)))
}

function everything(path: string): string[] {
  return readdirSync(path, { recursive: true }).map(String).sort()
}
