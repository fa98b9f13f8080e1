import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import { audit, type Executor, fingerprint, type HostReport } from '../../src/index.ts'
import { serviceManager } from '../../src/platform/linux/delegated-scope.ts'
import { bestPlatform } from '../../src/platform/index.ts'
import { processExists } from '../../src/spawn/process-table.ts'
import { linuxMode } from '../support/host-mode.ts'
import { processesOf, untilNoneLeft } from '../support/leftovers.ts'
import { untilOutput } from '../support/output.ts'
import { parentOf } from '../support/process-stat.ts'
import { programCommand } from '../support/program.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { withVariable } from '../support/variable.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'

/** As root in PID 1's system, as a user in that of `systemd --user`. */
const manager = serviceManager()
const ofWhom = manager?.bus === 'user' ? ['--user'] : []

function systemctl(...args: string[]): string {
  return execFileSync('systemctl', [...ofWhom, '--no-pager', ...args], { encoding: 'utf8' })
}

/** Units of ours that systemd knows, failed ones included. */
function scopes(): string[] {
  return systemctl('list-units', '--all', '--plain', '--no-legend', 'holdfast-*')
    .split('\n')
    .flatMap(line => /^\S*holdfast-\S+/.exec(line.replace('●', '').trim()) ?? [])
}

async function until(met: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !met(); tries++) {
    assert.ok(tries < 600, what)
    await sleep(100)
  }
}

const check = (title: string, body: (bench: Workbench) => Promise<void>) =>
  it(title, () => withWorkbench(bestPlatform(), body))

describe(`under systemd, as ${manager?.bus === 'user' ? 'a user' : 'root'}`, () => {
  before(function () {
    requires(this, 'systemd', 'native')
  })

  check('a task outlives the stop of its orchestrator’s unit, and is taken over', async bench => {
    const unit = `orchestrator-${process.pid}.service`
    const [program = '', ...args] = programCommand('orchestrator')
    const line = [program, ...args, bench.stateDir, 'echo $$; sleep 1000', '{"memoryMB":64}']
    execFileSync('systemd-run', [...ofWhom, '--quiet', '--collect', `--unit=${unit}`, '--', ...line])
    await until(() => taskIds(bench).length === 1, 'the orchestrator has started its task')
    const [id = ''] = taskIds(bench)
    // KillMode=control-group, the default: every process in the unit's cgroup is killed.
    systemctl('stop', unit)
    const task = await bench.supervisor.open(id)
    assert.equal(task.state, 'running')
    const { shim, task: leader } = startRecordOf(task)
    assert.ok(processExists(shim.pid) && processExists(leader.pid))
    assert.ok(!readFileSync(`/proc/${shim.pid}/cgroup`, 'utf8').includes(unit))
    assert.equal((await task.forceStop()).cause, 'forced')
    await untilNoneLeft([keyOf(task)])
  })

  check('its limits survive a daemon-reload, by their effect', async bench => {
    // The leader itself: on v1 an end of a child's for memory is no end of the task.
    const task = bench.shell("trap 'exec tail /dev/zero' USR1; echo ready; while :; do sleep 0.1; done")
    await task.limit({ memoryMB: 32 })
    await task.start()
    await untilOutput(task, 'ready')
    systemctl('daemon-reload')
    const status = task.enforcement.find(({ name }) => name === 'memoryMB')?.status
    // A Basic task has no limit that could be lost.
    if (status !== 'enforced') return
    await task.signal('SIGUSR1')
    const { cause, oomKilled } = await task.wait()
    assert.deepEqual({ cause, oomKilled }, { cause: 'oom', oomKilled: true })
  })

  check('systemctl status shows a task by its name, apart from its shim', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.limit({})
    await task.start()
    const { shim } = startRecordOf(task)
    const unit = /holdfast-[^/\n]*\.scope/.exec(readFileSync(`/proc/${shim.pid}/cgroup`, 'utf8'))?.[0] ?? ''
    const said = systemctl('status', '-n0', unit)
    // systemd shows what is in its own hierarchy: on v1 that is not the one with the limits.
    if (startRecordOf(task).cgroups.length > 0 && linuxMode() !== 'linux v1')
      assert.match(said, new RegExp(`sleep\\.${keyOf(task)}\\n.*sleep 1000`))
    else assert.match(said, /sleep 1000/)
    // Of any of its processes, too.
    assert.ok(systemctl('status', '-n0', String(startRecordOf(task).task.pid)).includes(unit))
  })

  check('scopes are gone when the last task is, none failed, also after an OOM kill', async bench => {
    const task = bench.command('/usr/bin/tail', '/dev/zero')
    await task.limit({ memoryMB: 16, wallTimeMs: 30_000 })
    await task.start()
    const unit = scopeOf(task)
    assert.ok(scopes().includes(unit))
    await task.wait()
    await bench.supervisor.close()
    await until(() => !scopes().includes(unit), `${unit} is gone`)
  })

  check('a scope is kept for a task that its supervisor has left behind, and no longer', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    const unit = scopeOf(task)
    const id = task.id()
    await bench.supervisor.close()
    await sleep(500)
    assert.ok(scopes().includes(unit))
    const again = bench.another()
    await (await again.open(id)).forceStop()
    await until(() => !scopes().includes(unit), `${unit} is gone`)
  })

  check('a supervisor killed while its scope is made leaves nothing', async bench => {
    const before = new Set(scopes())
    for (const delayMs of [0, 50, 150, 400, 900]) {
      const [program = '', ...args] = programCommand('orchestrator')
      const child: ChildProcess = spawn(program, [...args, bench.stateDir, 'sleep 1000'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      // Its spawner is the first it starts: from there on the scope is in the making.
      await until(
        () => child.exitCode !== null || hasChild(child.pid ?? 0),
        'the orchestrator starts its spawner',
      )
      await sleep(delayMs)
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const successor = bench.another()
    await successor.openAll()
    await Promise.all([...successor.tasks.values()].map(task => task.destroy()))
    await successor.close()
    await until(() => scopes().every(unit => before.has(unit)), 'no scope is left')
    await sleep(10_000)
    const { leftovers } = await audit({ stateDir: bench.stateDir, fix: true })
    assert.deepEqual(
      leftovers.filter(({ kind, fixed }) => kind === 'cgroup' || !fixed),
      [],
    )
  })

  check('a spawner that dies is followed by one in a scope of its own', async bench => {
    const first = bench.command('/bin/sleep', '1000')
    await first.start()
    const unit = scopeOf(first)
    const [spawner] = spawnersOf(unit)
    process.kill(spawner ?? 0, 'SIGKILL')
    const second = bench.command('/bin/sleep', '1000')
    await second.start()
    assert.notEqual(scopeOf(second), unit)
    assert.deepEqual([first.state, second.state], ['running', 'running'])
  })

  check(
    'without systemd-run a task starts all the same, the loss is a row, and strict refuses',
    async bench => {
      const bin = bench.directory('bin')
      writeFileSync(join(bin, 'systemd-run'), '#!/bin/sh\necho "no bus today" >&2\nexit 1\n')
      chmodSync(join(bin, 'systemd-run'), 0o755)
      const path = process.env.PATH
      process.env.PATH = `${bin}:${path}`
      try {
        const task = bench.command('/bin/true')
        await task.start()
        const row = task.enforcement.find(({ name }) => name === 'scope')
        assert.equal(row?.status, 'weakened')
        assert.match(row?.reason ?? '', /no bus today/)
        assert.equal((await task.wait()).exitCode, 0)
        const strict = bench.commandOf(bench.another({ strict: true }), '/bin/true')
        await refuses(strict.start(), { code: 'ISOLATION_FAILED', message: /no bus today/ })
      } finally {
        process.env.PATH = path
      }
    },
  )

  it('doctor knows that a stop of the unit it is in does not reach the tasks', () => {
    const options = [
      ...ofWhom,
      '--quiet',
      '--wait',
      '--pipe',
      '--collect',
      '--',
      ...programCommand('fingerprint'),
    ]
    const { mode, rows } = JSON.parse(
      execFileSync('systemd-run', options, { encoding: 'utf8' }),
    ) as HostReport
    assert.equal(mode.systemd, manager?.bus)
    const unit = rows.find(({ name }) => name === 'unit')
    assert.equal(unit?.status, 'yes')
    assert.match(unit?.why ?? '', /\.service, KillMode=control-group; tasks are in a scope of their own/)
  })

  it('doctor says of a systemd-run that fails what a start says of it', async () => {
    const directory = temporaryDirectory('doctor')
    writeFileSync(join(directory, 'systemd-run'), '#!/bin/sh\necho "no bus today" >&2\nexit 1\n')
    chmodSync(join(directory, 'systemd-run'), 0o755)
    try {
      await withVariable('PATH', `${directory}:${process.env.PATH}`, async () => {
        const { rows, defaultRun } = await fingerprint()
        const scope = rows.find(({ name }) => name === 'scope')
        assert.equal(scope?.status, 'weakened')
        assert.match(scope?.why ?? '', /no bus today/)
        assert.ok(defaultRun.weakened.some(({ name }) => name === 'scope'))
      })
    } finally {
      removeTemporary(directory)
    }
  })

  check('audit finds the cgroup of a task whose shim was killed, wherever it is', async bench => {
    const task = bench.shell('sleep 1000 & echo ready; sleep 1000')
    task.command.namespaces = bench.platform === 'linux' ? { pid: false } : {}
    await task.start()
    // Only the leader goes with its shim; without the other nothing keeps the scope.
    await untilOutput(task, 'ready')
    const record: StartRecord = startRecordOf(task)
    if (record.cgroups.length === 0) return
    const { stateDir } = bench
    await bench.supervisor.close()
    process.kill(record.shim.pid, 'SIGKILL')
    await until(() => !processExists(record.shim.pid), 'the shim is gone')
    const { leftovers } = await audit({ stateDir, fix: true })
    assert.deepEqual(
      new Map(leftovers.filter(({ kind }) => kind === 'cgroup').map(({ path, fixed }) => [path, fixed])),
      new Map(record.cgroups.map(path => [path, true])),
    )
    assert.deepEqual(processesOf(directoryOf(task).split('/').at(-1) ?? ''), [])
  })
})

function taskIds(bench: Workbench): string[] {
  const { stateDir } = bench
  return bench
    .keys()
    .filter(key => isStarted(join(stateDir, 'tasks', key)))
    .map(key => `holdfast:1:${key}:${stateDir}`)
}

function isStarted(dir: string): boolean {
  try {
    return readFileSync(join(dir, 'start.json'), 'utf8').length > 0
  } catch {
    return false
  }
}

function scopeOf(task: Executor): string {
  const text = readFileSync(`/proc/${startRecordOf(task).shim.pid}/cgroup`, 'utf8')
  return /holdfast-[^/\n]*\.scope/.exec(text)?.[0] ?? assert.fail(`no scope in ${text}`)
}

/** Shims are its children, so it is the one whose parent is not among them. */
function spawnersOf(unit: string): number[] {
  const pids = systemctl('status', '-n0', unit).matchAll(/[├└]─(\d+) holdfast spawner/g)
  const all = [...pids].map(([, pid]) => Number(pid))
  return all.filter(pid => !all.includes(parentOf(pid)))
}

function hasChild(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() !== ''
  } catch {
    return false
  }
}
