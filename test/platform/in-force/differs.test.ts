import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command, Executor, VerifiedRow } from '../../../src/index.ts'
import { directoryOf, keyOf, startRecordOf } from '../../support/task-key.ts'
import { requires } from '../../support/requires.ts'
import { type Workbench, withWorkbench } from '../../support/workbench.ts'

type Stored = { spec: { asked: unknown; enforcement: unknown; request: { resources: object } } }

/** Partitions cannot be throttled. */
function wholeDisks(): string[] {
  const all = existsSync('/sys/dev/block') ? readdirSync('/sys/dev/block') : []
  return all.filter(device => !existsSync(`/sys/dev/block/${device}/partition`))
}

async function verdictOf(task: Executor, name: string): Promise<VerifiedRow> {
  const { rows } = await task.verify()
  return rows.find(row => row.name === name) ?? assert.fail(`no row ${name}`)
}

async function started(bench: Workbench, command: Partial<Command> = {}): Promise<Executor> {
  const task = bench.command('/bin/sleep', '1000')
  Object.assign(task.command, command)
  await task.start()
  return task
}

describe('verify() of limits that somebody has changed', () => {
  before(function () {
    requires(this, 'linux', 'native', 'root', 'cgroup-v1')
  })

  const pid = (task: Executor): string => String(startRecordOf(task).task.pid)
  const cgroup = (task: Executor, controller: string): string =>
    startRecordOf(task).cgroups.find(dir =>
      dir.split('/').some(part => part.split(',').includes(controller)),
    ) ?? assert.fail(controller)
  const [disk = '1:0'] = wholeDisks()
  const limits = {
    memoryMB: 64,
    memoryReserveBytes: 10_000_000,
    pids: 20,
    cpu: 300,
    cpuLimit: 0.5,
    cpuset: '0',
    io: [{ device: disk, readBps: 1_000_000, writeIops: 100 }],
  }
  /** The row, its controller and file, and what is more than was asked for; less is no difference. */
  const changes = [
    ['memoryMB', 'memory', 'memory.memsw.limit_in_bytes', '83886080'],
    ['memoryMB', 'memory', 'memory.kmem.tcp.limit_in_bytes', '83886080'],
    ['memoryReserveBytes', 'memory', 'memory.soft_limit_in_bytes', '20000000'],
    ['pids', 'pids', 'pids.max', 'max'],
    ['cpu', 'cpu', 'cpu.shares', '1024'],
    ['cpuLimit', 'cpu', 'cpu.cfs_quota_us', '-1'],
    ['cpuset', 'cpuset', 'cpuset.cpus', '0-1'],
    ['io', 'blkio', 'blkio.throttle.read_bps_device', `${disk} 2000000`],
    ['io', 'blkio', 'blkio.throttle.write_iops_device', `${disk} 0`],
  ] as const

  it('sees each file that gives more, and none that gives less', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit(limits)
      await task.start()
      assert.equal((await task.verify()).verdict, 'holds')
      for (const [name, controller, file, more] of changes) {
        const path = join(cgroup(task, controller), file)
        const own = readFileSync(path, 'utf8').trim()
        writeFileSync(path, more)
        const row = await verdictOf(task, name)
        assert.deepEqual([row.verdict, row.status], ['differs', 'enforced'], `${file} ${row.inForce}`)
        assert.ok(row.inForce?.startsWith(file), row.inForce ?? '')
        assert.equal((await task.verify()).verdict, 'differs')
        writeFileSync(
          path,
          file.startsWith('blkio') ? `${disk} ${file.includes('bps') ? 1_000_000 : 100}` : own,
        )
        assert.equal((await verdictOf(task, name)).verdict, 'holds', file)
      }
      writeFileSync(join(cgroup(task, 'pids'), 'pids.max'), '10')
      assert.equal((await task.verify()).verdict, 'holds')
    }))

  it('sees a process that is in none of them any more', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ pids: 20 })
      await task.start()
      const dir = cgroup(task, 'pids')
      writeFileSync(join(dirname(dir), 'cgroup.procs'), pid(task))
      const row = await verdictOf(task, 'pids')
      assert.deepEqual([row.verdict, row.inForce], ['differs', `process ${pid(task)} is not in ${dir}`])
      writeFileSync(join(dir, 'cgroup.procs'), pid(task))
      assert.equal((await verdictOf(task, 'pids')).verdict, 'holds')
    }))
})

describe('verify() of a task that is not what its record says', () => {
  before(function () {
    requires(this, 'linux', 'native', 'root')
  })

  /** The record of a task with all walls is put over that of one without any. */
  it('sees each wall that is not there', () =>
    withWorkbench('linux', async bench => {
      const strict = await started(bench, { network: 'none' })
      const loose = await started(bench, {
        user: 0,
        root: 'host',
        seccomp: 'off',
        noNewPrivileges: false,
        capabilities: ['CAP_SYS_ADMIN'],
        namespaces: { mount: false, pid: false, ipc: false, uts: false, cgroup: false },
      })
      const names = (await strict.verify()).rows.flatMap(row => (row.verdict === 'holds' ? row.name : []))
      assert.ok(names.length >= 11, names.join())
      const [one, two] = [strict, loose].map(task => join(directoryOf(task), 'task.json')) as [string, string]
      await bench.supervisor.close()
      const [record, other] = [one, two].map(path => JSON.parse(readFileSync(path, 'utf8')) as Stored)
      assert.ok(record && other)
      const { asked, enforcement } = record.spec
      writeFileSync(two, JSON.stringify({ ...other, spec: { ...other.spec, asked, enforcement } }))
      const found = await (await bench.another().open(loose.id())).verify()
      assert.deepEqual(
        found.rows.flatMap(row => (row.verdict === 'differs' ? row.name : [])),
        names,
      )
      assert.equal(found.verdict, 'differs')
    }))

  it('sees resource limits that are higher, of whichever of the two', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ rlimits: { nofile: [64, 128], core: 0 } })
      await task.start()
      const path = join(directoryOf(task), 'task.json')
      await bench.supervisor.close()
      const { spec, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Stored
      const asked = {
        ...(spec.asked as object),
        rlimits: [
          { name: 'nofile', soft: 64, hard: 127 },
          { name: 'core', soft: -1, hard: -1 },
        ],
      }
      writeFileSync(path, JSON.stringify({ ...rest, spec: { ...spec, asked } }))
      const opened = await bench.another().open(task.id())
      const { verdict, inForce } = await verdictOf(opened, 'rlimits.nofile')
      assert.deepEqual([verdict, inForce], ['differs', '64:128'])
      assert.equal((await verdictOf(opened, 'rlimits.core')).verdict, 'holds')
    }))

  it('sees a file system that has more room than the record says, and says so where it sees none', async function () {
    requires(this, 'disk')
    await withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ diskBytes: 8 * 1024 * 1024 })
      await task.start()
      const { verdict, inForce, atStart } = await verdictOf(task, 'diskBytes')
      assert.deepEqual([verdict, atStart?.verdict], ['holds', 'unverifiable'])
      const [, bytes] = /^a file system of its own of (\d+) bytes$/.exec(inForce ?? '') ?? []
      assert.ok(Number(bytes) > 6 * 1024 * 1024 && Number(bytes) <= 8 * 1024 * 1024, inForce ?? '')
      const path = join(directoryOf(task), 'task.json')
      await bench.supervisor.close()
      const { spec, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Stored
      const resources = { ...spec.request.resources, diskBytes: 4 * 1024 * 1024 }
      writeFileSync(
        path,
        JSON.stringify({ ...rest, spec: { ...spec, request: { ...spec.request, resources } } }),
      )
      const opened = await bench.another().open(task.id())
      assert.equal((await verdictOf(opened, 'diskBytes')).verdict, 'differs')
      assert.equal((await opened.verify()).verdict, 'differs')
      execFileSync('umount', ['-l', join(bench.stateDir, 'allocs', keyOf(task))])
      assert.equal((await verdictOf(opened, 'diskBytes')).verdict, 'unread')
    })
  })

  it('refuses what was asked for where that cannot be believed, and says of an earlier version that it kept none', () =>
    withWorkbench('linux', async bench => {
      const task = await started(bench)
      const path = join(directoryOf(task), 'task.json')
      await bench.supervisor.close()
      const { spec, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as Stored
      writeFileSync(path, JSON.stringify({ ...rest, spec: { ...spec, asked: { seccomp: 'perhaps' } } }))
      await assert.rejects((await bench.another().open(task.id())).verify(), {
        code: 'STATE_CORRUPT',
        message: /spec\.asked\./,
      })
      writeFileSync(path, JSON.stringify({ ...rest, spec: { ...spec, asked: undefined } }))
      const { verdict, rows } = await (await bench.another().open(task.id())).verify()
      assert.equal(verdict, 'unread')
      assert.match(rows.find(({ name }) => name === 'seccomp')?.inForce ?? '', /earlier version/)
    }))
})
