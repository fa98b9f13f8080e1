import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRecord } from '../../../machines/index.ts'
import { readText } from '../../../src/if-there.ts'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { changeCgroups } from '../../../src/platform/linux/cgroup-change.ts'
import { CgroupProbe } from '../../../src/platform/linux/cgroup-probe.ts'
import { type CgroupPlan, CgroupPlanner } from '../../../src/platform/linux/cgroups.ts'
import { emptyCgroup, killLinuxTree } from '../../../src/platform/linux/kill.ts'
import { releaseCgroups } from '../../../src/platform/linux/release.ts'
import { currentBootId, readProcess } from '../../../src/spawn/process-table.ts'
import { openUnder } from '../../support/descriptors.ts'
import { eventually } from '../../support/eventually.ts'
import { requires } from '../../support/requires.ts'

describe('cgroups of this host', () => {
  const key = `test-${process.pid}`
  let made: string[] = []
  let child: ChildProcess | undefined

  before(function () {
    requires(this, 'linux', 'root', 'cgroup-v1')
  })

  afterEach(async () => {
    child?.kill('SIGKILL')
    child = undefined
    // The shell's own children outlive it.
    for (const dir of made) assert.deepEqual(await emptyCgroup(dir, 5000), [])
    await releaseCgroups(made)
    assert.deepEqual(
      made.filter(dir => existsSync(dir)),
      [],
    )
    made = []
  })

  /** What the native program does with a plan. */
  function make({ cgroups }: CgroupPlan): void {
    made = cgroups.map(({ dir }) => dir)
    for (const { dir, files } of cgroups) {
      mkdirSync(dir)
      for (const { name, value } of files) writeFileSync(join(dir, name), value)
    }
  }

  async function startInside(script: string): Promise<StartRecord> {
    // Waits for a line before it forks, so that nothing escapes the groups.
    child = spawn('/bin/sh', ['-c', `read _; ${script}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    for (const dir of made) writeFileSync(join(dir, 'cgroup.procs'), String(pid))
    child.stdin?.write('\n')
    const identity = { pid, startTime: readProcess(pid)?.startTime ?? 0 }
    return {
      ...{ format: 'holdfast.start', version: 1, shim: identity, task: identity, init: null },
      ...{ bootId: currentBootId(), startedAt: Date.now(), cgroups: made },
    }
  }

  const plan = (resources: Parameters<CgroupPlanner['plan']>[1], pidNamespace = true) =>
    new CgroupPlanner(detectCgroups()).plan(key, resources, { pidNamespace })

  it('take every value that the table writes, and say it back', () => {
    const cgroupPlan = plan({
      cpu: 512,
      cpuLimit: 0.25,
      cpuset: '0',
      memoryMB: 64,
      memoryReserveBytes: 1 << 20,
      pids: 9,
    })
    make(cgroupPlan)
    const read = cgroupPlan.cgroups.flatMap(({ dir, files }) =>
      files.map(({ name, value }) => [name, value, readFileSync(join(dir, name), 'utf8').trim()]),
    )
    assert.ok(read.length > 0)
    for (const [name, wrote, says] of read) assert.equal(says, wrote, name)
  })

  it('take a task that runs, or leave it where it is when one of them does not', async () => {
    make(plan({}))
    const start = await startInside('sleep 300 & sleep 300; true')
    const [members = ''] = made
    while (programsIn(members).filter(name => name === 'sleep').length < 2) await new Promise(setImmediate)
    const before = readFileSync(`/proc/${start.task.pid}/cgroup`, 'utf8')
    const running = { ...start, cgroups: [...made] }
    const { deferred: late } = new CgroupPlanner(detectCgroups()).change(running, { pids: 50 }, { pids: 50 })
    // A cpuset without processors can be made, but not joined.
    const { deferred: cpusets } = new CgroupPlanner(detectCgroups()).change(
      running,
      { cpuset: '0' },
      { cpuset: '0' },
    )
    const bare = cpusets.map(group => ({ ...group, files: [] }))
    const wanted = [...late, ...bare].map(({ dir }) => dir)
    assert.equal(wanted.length, 2)
    assert.throws(() => changeCgroups([], [...late, ...bare], members), {
      code: 'LIMIT_FAILED',
      errno: 'ENOSPC',
      message: /let the task in: ENOSPC; no limit was changed/,
    })
    assert.deepEqual(wanted.filter(existsSync), [])
    assert.equal(readFileSync(`/proc/${start.task.pid}/cgroup`, 'utf8'), before)
    made.push(...wanted)
    changeCgroups([], [...late, ...cpusets], members)
    for (const dir of wanted) assert.deepEqual(programsIn(dir).sort(), programsIn(members).sort())
  })

  for (const [without, resources] of [
    ['', { memoryMB: 64, pids: 30 }],
    [' without a pids limit', { memoryMB: 64 }],
  ] as const)
    it(`can be joined${without}, sampled, emptied by a kill that nothing escapes, and removed`, async () => {
      make(plan(resources, false))
      const start = await startInside('trap "" TERM INT HUP; (setsid sleep 300 & sleep 300 &) ; sleep 300')
      const memory = made.find(dir => dir.includes('memory')) ?? ''
      // A fourth process that is none of these is the subshell, about to end.
      while (programsIn(memory).filter(name => name === 'sleep').length < 3) await new Promise(setImmediate)
      const probe = new CgroupProbe(start, detectCgroups())
      const usage = probe.sample()
      assert.equal(usage.memoryLimitBytes, 64 * 1024 * 1024)
      assert.ok((usage.memoryBytes ?? 0) > 0 && (usage.memoryPeakBytes ?? 0) >= (usage.memoryBytes ?? 0))
      assert.equal(usage.pids, 4)
      assert.ok((usage.cpuMs ?? 0) > 0)
      const members = readFileSync(join(memory, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number)
      assert.deepEqual(await killLinuxTree(start), [])
      assert.deepEqual(
        members.filter(pid => !['Z', 'X', undefined].includes(readProcess(pid)?.state)),
        [],
      )
      await releaseCgroups(made)
      assert.deepEqual(
        made.filter(dir => existsSync(dir)),
        [],
        'what is kept open does not keep it there',
      )
      // Others with the same paths are none of its business.
      make(plan(resources, false))
      const { at, ...after } = probe.sample()
      assert.ok(at > usage.at)
      assert.deepEqual([...new Set(Object.values(after))], [null])
      assert.deepEqual(made.flatMap(openUnder), [])
      probe.close()
    })

  it('say how many threads there are, as often as they are asked', async () => {
    make(plan({ memoryMB: 64 }, false))
    const start = await startInside('sleep 300 & read _; sleep 300 & sleep 300 & wait')
    const probe = new CgroupProbe(start, detectCgroups())
    const untilThreads = (count: number) => eventually(() => assert.equal(probe.sample().pids, count))
    await untilThreads(2)
    child?.stdin?.end('\n')
    await untilThreads(4)
    probe.close()
  })

  it('are left alone when the record is of another boot', async () => {
    make(plan({}))
    const start = await startInside('sleep 300')
    assert.deepEqual(await killLinuxTree({ ...start, bootId: 'another' }), [])
    assert.notEqual(readProcess(start.task.pid)?.state, undefined)
    assert.equal(child?.exitCode ?? child?.signalCode, null)
  })

  it('are not removed while somebody is in them', async () => {
    make(plan({}))
    await startInside('sleep 300')
    await releaseCgroups(made)
    assert.deepEqual(
      made.filter(dir => !existsSync(dir)),
      [],
    )
  })
})

function programsIn(cgroup: string): string[] {
  const pids = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').trim().split('\n')
  return pids.map(pid => readText(`/proc/${pid}/comm`).trim())
}
