import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { StartRecord } from '../../machines/index.ts'
import { killProcessTree, treeOf } from '../../src/platform/kill-tree.ts'
import { currentBootId, type ProcessEntry, readProcess } from '../../src/spawn/process-table.ts'
import { requires } from '../support/requires.ts'

const shim = { pid: 100, startTime: 1000 }
const task = { pid: 101, startTime: 1001 }
const entry = (pid: number, parent: number, more: Partial<ProcessEntry> = {}): ProcessEntry => ({
  ...{ pid, thread: pid, parent, state: 'S', group: pid, session: pid, startTime: pid * 10, flags: 0 },
  ...more,
})
const pids = (table: ProcessEntry[]) => treeOf({ shim, task }, table).map(({ pid }) => pid)

describe('the tree of a task', () => {
  it('is the task, its group, its session and all below', () => {
    const table = [
      entry(101, 1, { startTime: 1001 }),
      entry(200, 1, { group: 101 }),
      entry(201, 1, { session: 101 }),
      entry(202, 201),
      entry(300, 1),
    ]
    assert.deepEqual(pids(table).sort(), [101, 200, 201, 202])
  })

  it('outlives its leader', () => {
    assert.deepEqual(pids([entry(200, 1, { group: 101 })]), [200])
  })

  it('does not include a stranger under a reused pid, nor the group and session of that stranger', () => {
    assert.deepEqual(
      pids([entry(101, 1, { startTime: 5000 }), entry(500, 101, { group: 101, session: 101 })]),
      [],
    )
  })

  it('does not include what is older than the task, nor zombies', () => {
    assert.deepEqual(pids([entry(50, 1, { group: 101 }), entry(200, 1, { group: 101, state: 'Z' })]), [])
  })

  it('never includes this process', () => {
    assert.deepEqual(pids([entry(process.pid, 1, { group: 101, startTime: 9999 })]), [])
  })
})

describe('killProcessTree', () => {
  let child: ChildProcess

  before(function () {
    requires(this, 'linux')
  })

  beforeEach(async () => {
    child = spawn('/bin/sh', ['-c', 'trap "" TERM; sleep 300 & echo $!; sleep 300'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    await once(child, 'spawn')
  })
  afterEach(() => {
    // Its children, too: they hold its output open, which this program would read for as long as they sleep.
    if (child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL')
  })

  function record(): StartRecord {
    const identity = { pid: child.pid ?? 0, startTime: readProcess(child.pid ?? 0)?.startTime ?? 0 }
    return {
      ...{ format: 'holdfast.start', version: 1, shim: identity, task: identity, init: null },
      ...{ bootId: currentBootId(), startedAt: 0, cgroups: [] },
    }
  }

  it('kills the leader and its children and resolves to no survivors', async () => {
    const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer]
    const exited = once(child, 'exit')
    assert.deepEqual(await killProcessTree(record(), { limitMs: 10_000 }), [])
    assert.deepEqual((await exited)[1], 'SIGKILL')
    assert.ok([undefined, 'Z', 'X'].includes(readProcess(Number(line.toString()))?.state))
  })

  it('kills nothing by a number that /proc did not show when it was recorded, and says that it lives', async () => {
    const start = record()
    const hidden = { ...start, task: { ...start.task, startTime: 0 } }
    const kill = (limitMs: number) => killProcessTree(hidden, { limitMs }, () => true)
    assert.deepEqual(await kill(100), [start.task.pid])
    assert.equal(child.signalCode, null)
    const exited = once(child, 'exit')
    process.kill(-start.task.pid, 'SIGKILL')
    await exited
    assert.deepEqual(await kill(10_000), [])
  })

  it('touches nothing when start time or boot do not match', async () => {
    const start = record()
    const older = { ...start.task, startTime: start.task.startTime - 1 }
    assert.deepEqual(await killProcessTree({ ...start, task: older, shim: older }, { limitMs: 100 }), [])
    assert.deepEqual(await killProcessTree({ ...start, bootId: 'another' }, { limitMs: 100 }), [])
    assert.equal(child.signalCode, null)
    // Alive: asleep, or just about to be.
    assert.match(readProcess(start.task.pid)?.state ?? 'gone', /^[RSD]$/)
  })
})
