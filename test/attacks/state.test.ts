import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { lookForHolders } from '../../src/audit/holders.ts'
import { audit, Supervisor } from '../../src/index.ts'
import { killLinuxTree } from '../../src/platform/linux/kill.ts'
import { isOwnCgroup, kindOf } from '../../src/platform/linux/own-cgroup.ts'
import { releaseCgroups } from '../../src/platform/linux/release.ts'
import { readStart } from '../../src/spawn/records.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { withWorkbench } from '../support/workbench.ts'

const somebody = 4242

describe('attack: a state directory that somebody else may write in', () => {
  before(function () {
    requires(this, 'root', 'linux')
  })
  const uses: Record<string, (stateDir: string) => Promise<unknown>> = {
    openAll: stateDir => withSupervisor(stateDir, supervisor => supervisor.openAll()),
    start: stateDir => withSupervisor(stateDir, supervisor => supervisor.command('true').start()),
    discard: stateDir => withSupervisor(stateDir, supervisor => supervisor.discard('0123456789abcd')),
    audit: stateDir => audit({ stateDir, fix: true }),
  }
  const spoilt: Record<string, (stateDir: string) => string> = {
    'it belongs to another user': dir => owned(dir),
    'everybody may write in it': dir => opened(dir, 0o777),
    'a group may write in it': dir => {
      chownSync(dir, 0, somebody)
      return opened(dir, 0o770)
    },
    'it is sticky, and everybody may write in it': dir => opened(dir, 0o1777),
    'its tasks belong to another user': dir => owned(join(dir, 'tasks')),
    'everybody may write in its tasks': dir => opened(join(dir, 'tasks'), 0o777),
    'its allocations belong to another user': dir => owned(join(dir, 'allocs')),
    'a directory above it belongs to another user': dir => owned(join(dir, '..')),
    'everybody may write in a directory above it': dir => opened(join(dir, '..'), 0o777),
    'a link of another user leads to it': dir => {
      const path = `${join(dir, '..')}/link`
      symlinkSync(dir, path)
      return path
    },
  }
  for (const [how, spoil] of Object.entries(spoilt))
    it(`is refused by name, and with what mends it, when ${how}`, async () => {
      const dir = stateDirectory()
      const path = spoil(dir)
      const stateDir = how.startsWith('a link') ? path : dir
      if (how.startsWith('a link')) execFileSync('chown', ['-h', `${somebody}:${somebody}`, path])
      for (const [name, use] of Object.entries(uses)) {
        const error = await refuses(use(stateDir), { code: 'PERMISSION' })
        assert.equal(error.path, path, name)
        assert.match(error.hint ?? '', /^(chmod go-w|run as that user)/)
      }
    })

  it('control: what is root’s alone is taken, also in /tmp and through a link of root’s', async () => {
    const dir = stateDirectory()
    const link = `${join(dir, '..')}/link`
    symlinkSync(dir, link)
    for (const stateDir of [dir, link]) await withSupervisor(stateDir, supervisor => supervisor.openAll())
    await audit({ stateDir: dir })
  })

  it('confines it to one task when that task’s directory alone is somebody else’s', () =>
    withWorkbench('basic', async bench => {
      const [one, other] = [bench.command('true'), bench.command('true')]
      for (const task of [one, other]) await task.start()
      for (const task of [one, other]) await task.wait()
      const dir = directoryOf(one)
      chownSync(dir, somebody, somebody)
      try {
        const second = bench.another()
        const report = await second.openAll()
        assert.deepEqual(report.exited, [keyOf(other)])
        assert.deepEqual(
          report.quarantined.map(({ key, error }) => [key, error.code, error.path]),
          [[keyOf(one), 'PERMISSION', dir]],
        )
      } finally {
        chownSync(dir, 0, 0)
      }
    }))
})

describe('attack: what a record calls a cgroup', () => {
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  it('is left alone unless it lies on a cgroup file system, under that very path and with the task’s key', async () => {
    const dir = temporaryDirectory('cgroups')
    const victim = spawn('sleep', ['1000'], { stdio: 'ignore' })
    try {
      const precious = join(dir, 'precious')
      writeFileSync(precious, 'untouched', { mode: 0o600 })
      const fake = join(dir, 'holdfast/0123456789abcd')
      mkdirSync(fake, { recursive: true })
      writeFileSync(join(fake, 'cgroup.procs'), `${victim.pid}\n`)
      symlinkSync(precious, join(fake, 'cgroup.kill'))
      symlinkSync(precious, join(fake, 'freezer.state'))
      const empty = join(dir, 'holdfast/0123456789abce')
      mkdirSync(empty)
      const gone = { pid: 2 ** 30, startTime: 1 }
      const start = { shim: gone, task: gone, init: null, bootId: '', startedAt: 0, cgroups: [fake, empty] }
      assert.deepEqual(
        await killLinuxTree({ ...start, format: 'holdfast.start', version: 1 } as never, { limitMs: 100 }),
        [],
      )
      await releaseCgroups([empty])
      assert.equal(victim.exitCode ?? victim.signalCode, null)
      assert.equal(readFileSync(precious, 'utf8'), 'untouched')
      assert.ok(existsSync(empty))
      assert.deepEqual([kindOf(fake), kindOf(join(dir, 'none'))], ['foreign', 'absent'])
    } finally {
      await ended(victim)
    }
  })

  it('and is told of as corrupt when it is another task’s', () => {
    const dir = temporaryDirectory('0123456789abcd')
    const identity = { pid: 2, startTime: 1 }
    const record = {
      format: 'holdfast.start',
      version: 1,
      shim: identity,
      task: identity,
      init: null,
      bootId: 'x',
      startedAt: 0,
    }
    const read = (cgroup: string) => {
      writeFileSync(join(dir, 'start.json'), JSON.stringify({ ...record, cgroups: [cgroup] }))
      return readStart(dir)
    }
    const key = basename(dir)
    assert.deepEqual(read('/c/holdfast/other'), { corrupt: "cgroups: /c/holdfast/other is another task's" })
    for (const own of [`/c/holdfast/${key}`, `/c/holdfast/web.${key}`, '/c/nomad/any'])
      assert.deepEqual(read(own), { ...record, cgroups: [own] })
  })

  it('control: the cgroups of a task are what they are called', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('sleep', '1000')
      await task.limit({ memoryMB: 64 })
      await task.start()
      const start = readStart(directoryOf(task))
      assert.ok(start !== null && !('corrupt' in start) && start.cgroups.length > 0)
      assert.deepEqual(
        start.cgroups.map(isOwnCgroup),
        start.cgroups.map(() => true),
      )
      // The same, spelt through a link.
      const link = join(bench.directory('cgroups'), 'holdfast')
      symlinkSync(join(start.cgroups[0] ?? '', '..'), link)
      assert.equal(isOwnCgroup(join(link, keyOf(task))), false)
    }))
})

describe('attack: audit() silenced by what somebody else holds open or calls himself', () => {
  before(function () {
    requires(this, 'root', 'linux')
  })
  const key = '0123456789abcd'

  async function holding(uid: number, name: string, look: () => void): Promise<void> {
    const dir = temporaryDirectory('holder')
    mkdirSync(join(dir, 'tasks', key), { recursive: true })
    writeFileSync(join(dir, 'tasks', key, 'alive'), '')
    const script = `exec 7< "$1/tasks/${key}/alive"; printf ${name} > /proc/self/comm; echo ready; exec 1>&-; while :; do read line || exit; done`
    const holder = spawn('bash', ['-c', script, 'bash', dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
      uid,
      gid: uid,
    })
    try {
      await new Promise(resolve => holder.stdout.once('data', resolve))
      look()
    } finally {
      await ended(holder)
    }
  }

  it('a path that another user’s process has open holds nothing of root’s', () =>
    holding(somebody, 'bash', () => {
      const holds = lookForHolders()
      assert.equal(holds(key, 0), false)
      assert.equal(holds(key, somebody), true)
    }))

  it('control: a process of root’s that has it open does', () =>
    holding(0, 'bash', () => assert.equal(lookForHolders()(key, 0), true)))

  it('a process that calls itself a shim, and cannot be looked into, hides only what is its user’s', () => {
    const proc = temporaryDirectory('proc')
    const status = (name: string, uid: number, numbers: string) =>
      `Name:\t${name}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nNSpid:\t${numbers}\n`
    for (const [pid, text] of [
      ['self', status('node', 0, '1')],
      ['1', status('node', 0, '1')],
      ['2', status('holdfast-shim', somebody, '2')],
      ['3', status('holdfast-shim', 0, '3\t1')],
    ] as const) {
      mkdirSync(join(proc, pid))
      writeFileSync(join(proc, pid, 'status'), text)
    }
    mkdirSync(join(proc, '1/fd'))
    // No directory at all: as unreadable as one that is not ours, whoever runs this.
    for (const pid of ['2', '3']) writeFileSync(join(proc, pid, 'fd'), '')
    const holds = lookForHolders(proc)
    assert.deepEqual([holds(key, 0), holds(key, somebody)], [false, true])
    // Not in a pid namespace of its own, a shim of root's that hides does count.
    writeFileSync(join(proc, '3/status'), status('holdfast-shim', 0, '3'))
    assert.equal(lookForHolders(proc)(key, 0), true)
  })
})

function stateDirectory(): string {
  const dir = join(temporaryDirectory('state-attack'), 'state')
  for (const name of ['', 'tasks', 'allocs'])
    mkdirSync(join(dir, name), { mode: name === 'tasks' ? 0o700 : 0o711 })
  return dir
}

function owned(path: string): string {
  chownSync(path, somebody, somebody)
  return join(path)
}

function opened(path: string, mode: number): string {
  chmodSync(path, mode)
  return join(path)
}

async function withSupervisor<T>(stateDir: string, use: (supervisor: Supervisor) => Promise<T>): Promise<T> {
  const supervisor = new Supervisor({ stateDir })
  try {
    return await use(supervisor)
  } finally {
    await supervisor.close()
  }
}

async function ended(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return
  const gone = new Promise(resolve => program.once('exit', resolve))
  program.kill('SIGKILL')
  await gone
}
