import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnforcedRecord, ExitRecord } from '../../../machines/index.ts'
import { recordedFiles } from '../../../src/platform/in-force/cgroup-files.ts'
import { readExit } from '../../../src/spawn/records.ts'
import { enforcedSample } from '../../support/enforced-sample.ts'
import { requires } from '../../support/requires.ts'
import { directoryOf } from '../../support/task-key.ts'
import { withWorkbench } from '../../support/workbench.ts'

const at = '/sys/fs/cgroup'

describe('whether a process was in a cgroup, by its lines of /proc/PID/cgroup', () => {
  const isMember = (dir: string, cgroups: string | null = enforcedSample.cgroups) =>
    recordedFiles({ files: [], cgroups }).isMember(`${at}/${dir}`)

  it('goes by the hierarchy as well as by the path', () => {
    assert.equal(isMember('pids/holdfast/k'), true)
    assert.equal(isMember('memory/holdfast/k'), true, 'below it')
    assert.equal(isMember('cpu,cpuacct/holdfast/k'), false)
    assert.equal(isMember('pids/holdfast/other'), false)
    assert.equal(isMember('holdfast/k', '0::/holdfast/k\n'), true)
    assert.equal(isMember('holdfast/k', '0::/holdfast\n'), false)
  })

  it('does not judge where nothing says it', () => {
    assert.equal(isMember('pids/holdfast/k', null), null)
    assert.equal(isMember('pids/orchestrator/k', '5:pids:/\n'), null)
  })
})

describe('what was in force at the start of a task', () => {
  before(function () {
    requires(this, 'linux', 'native', 'root', 'cgroup-v1')
  })

  it('is told when the task has ended, however short it was, and of each wall that was not there', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/true')
      await task.limit({ pids: 20, memoryMB: 64, rlimits: { nofile: [64, 128] } })
      await task.start()
      await task.wait()
      const { verdict, live, rows } = await task.verify()
      assert.deepEqual([verdict, live], ['holds', false])
      const held = rows.filter(row => row.verdict === 'holds').map(({ name }) => name)
      for (const name of ['pids', 'memoryMB', 'rlimits.nofile', 'namespace.pid', 'root', 'user', 'seccomp'])
        assert.ok(held.includes(name), name)
      // As if the kernel had said of the task what it says of the shim.
      const path = join(directoryOf(task), 'enforced.json')
      const record = JSON.parse(readFileSync(path, 'utf8')) as EnforcedRecord
      const files = record.files.map(file => ({ ...file, text: 'max' }))
      const limits = 'Max open files            1024                 4096                 files'
      writeFileSync(path, JSON.stringify({ ...record, task: record.shim, files, limits }))
      const other = await task.verify()
      assert.equal(other.verdict, 'differs')
      const differing = other.rows.filter(row => row.verdict === 'differs').map(({ name }) => name)
      assert.deepEqual(differing, held)
    }))

  it('weakens a limit that somebody has lifted before the program ran, and refuses it under strict', () =>
    withWorkbench('linux', async bench => {
      const lifter = spawn(process.execPath, ['-e', lifting, join(bench.stateDir, 'tasks')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      try {
        await once(lifter.stdout, 'data')
        const start = async (strict: boolean) => {
          const supervisor = strict ? bench.another({ strict }) : bench.supervisor
          const task = supervisor.command('/bin/sleep', '1000')
          await task.limit({ pids: 20 })
          const error: unknown = await task.start().then(
            () => null,
            (reason: unknown) => reason,
          )
          return { task, error, row: task.enforcement.find(({ name }) => name === 'pids') }
        }
        const lifted = async (strict: boolean) => {
          for (let tries = 0; tries < 50; tries++) {
            const started = await start(strict)
            if (started.row?.status !== 'enforced') return started
            await started.task.destroy()
          }
          return assert.fail('nobody has lifted it in time')
        }
        const { task, row } = await lifted(false)
        assert.deepEqual([row?.status, row?.reason], ['weakened', 'the kernel says otherwise: pids.max max'])
        const { verdict, rows } = await task.verify()
        assert.equal(verdict, 'differs')
        assert.equal(rows.find(({ name }) => name === 'pids')?.atStart?.inForce, 'pids.max max')
        // Whoever opens it has the same rows, and verify() has no others.
        const told = JSON.stringify((await bench.another().open(task.id())).enforcement)
        assert.equal(told, JSON.stringify(task.enforcement))
        const verified = rows.map(({ verdict: _, inForce: __, atStart: ___, ...each }) => each)
        assert.deepEqual(verified, task.enforcement)
        const refused = await lifted(true)
        assert.match(String(refused.error), /strict: .*pids \(the kernel says otherwise: pids\.max max\)/)
        assert.equal(refused.task.state, 'exited')
        // Whoever looks later is told the same, by the shim's own record.
        const { failure } = readExit(directoryOf(refused.task)) as ExitRecord
        assert.equal(failure?.stage, 'limit')
        assert.match(failure?.detail ?? '', /^strict: .*pids\.max max/)
        const { cause, error } = await (await bench.another().open(refused.task.id())).wait()
        assert.deepEqual([cause, error?.code], ['startFailed', 'LIMIT_FAILED'])
      } finally {
        lifter.kill()
      }
    }))
})

/** Lifts the limit of each task whose directory is in there, as soon and as often as it can. */
const lifting = `
  const { readdirSync, writeFileSync } = require('node:fs')
  console.log('ready')
  for (;;) {
    let keys = []
    try { keys = readdirSync(process.argv[1]) } catch {}
    for (const key of keys)
      try { writeFileSync('/sys/fs/cgroup/pids/holdfast/' + key + '/pids.max', 'max', { flag: 'r+' }) } catch {}
  }`
