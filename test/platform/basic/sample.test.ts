import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import pidusage from 'pidusage'
import type { StartRecord } from '../../../machines/index.ts'
import { sampleTree } from '../../../src/platform/basic/sample.ts'
import { readProcess } from '../../../src/spawn/process-table.ts'
import { requires } from '../../support/requires.ts'

describe('sampling a basic task', () => {
  let child: ChildProcess

  before(function () {
    requires(this, 'linux')
  })
  beforeEach(async () => {
    child = spawn('/bin/sh', ['-c', 'sleep 300 & sleep 300 & echo; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    })
    await once(child.stdout ?? process.stdin, 'data')
  })
  afterEach(() => {
    if (child.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL')
    pidusage.clear()
  })

  function record(startTime: number): StartRecord {
    const task = { pid: child.pid ?? 0, startTime }
    return {
      ...{ format: 'holdfast.start', version: 1, task, shim: { pid: 2 ** 22 + 1, startTime: 0 }, init: null },
      ...{ bootId: '', startedAt: 0, cgroups: [] },
    }
  }

  it('adds up the whole tree, and leaves null what it cannot know', async () => {
    const startTime = readProcess(child.pid ?? 0)?.startTime ?? 0
    const { pids, memoryBytes, cpuMs, memoryPeakBytes, memoryLimitBytes, ioReadBytes, throttledMs } =
      await sampleTree(record(startTime))
    assert.equal(pids, 3)
    assert.ok((memoryBytes ?? 0) > 0)
    assert.equal(typeof cpuMs, 'number')
    assert.deepEqual([memoryPeakBytes, memoryLimitBytes, ioReadBytes, throttledMs], [null, null, null, null])
  })

  it('knows nothing of a stranger under a reused pid', async () => {
    const { pids, memoryBytes, cpuMs } = await sampleTree(record(1))
    assert.deepEqual([pids, memoryBytes, cpuMs], [null, null, null])
  })
})
