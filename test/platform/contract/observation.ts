import { strict as assert } from 'node:assert'
import { lastValueFrom, toArray } from 'rxjs'
import type { Usage } from '../../../src/index.ts'
import { untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import type { Section } from './adapter.ts'

export const observation: Section = (check, { platform }) => {
  check('passes through its states in order, and the stream completes', async bench => {
    const task = bench.shell('exit 0')
    const seen = lastValueFrom(task.state$.pipe(toArray()))
    await task.start()
    await task.wait()
    assert.deepEqual(await seen, ['configured', 'limited', 'running', 'exited'])
    assert.deepEqual(await lastValueFrom(task.state$.pipe(toArray())), ['exited'])
  })

  check('is stopping between the request and the end', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.limit({})
    const seen = lastValueFrom(task.state$.pipe(toArray()))
    await task.start()
    await task.shutdown()
    assert.deepEqual(await seen, ['limited', 'running', 'stopping', 'exited'])
  })

  check('measures a running task, and says null for what it cannot know', ['usage'], async bench => {
    const task = bench.shell('i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo ready; sleep 1000')
    await task.start()
    await untilOutput(task, 'ready')
    const usage = await task.usage()
    assert.ok(usage.at instanceof Date)
    assert.ok((usage.memoryBytes ?? 0) > 50_000, JSON.stringify(usage))
    assert.ok((usage.pids ?? 0) >= 1, JSON.stringify(usage))
    assert.ok((usage.cpuMs ?? 0) > 0, JSON.stringify(usage))
    assert.equal(usage.cpuPercent, null, 'the first sample has nothing to compare with')
    if (platform === 'basic') {
      const { memoryPeakBytes, memoryLimitBytes, ioReadBytes, throttledMs } = usage
      assert.deepEqual(
        [memoryPeakBytes, memoryLimitBytes, ioReadBytes, throttledMs],
        [null, null, null, null],
      )
    }
    const { at, ...parts } = await task.usageDetail()
    assert.ok(at instanceof Date)
    // Without a cgroup, as of an ordinary user on v1, there is nothing to read.
    if (usage.memoryPeakBytes === null) assert.deepEqual([...new Set(Object.values(parts))], [null])
    else {
      assert.ok((parts.cpuUserMs ?? 0) + (parts.cpuSystemMs ?? 0) > 0, JSON.stringify(parts))
      assert.ok((parts.anonBytes ?? 0) > 0, JSON.stringify(parts))
    }
  })

  check('samples until the end and then completes', async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    const samples: Usage[] = []
    await new Promise<void>((resolve, reject) => {
      task.usage$(50).subscribe({
        next: sample => {
          if (samples.push(sample) === 3) task.forceStop().catch(reject)
        },
        complete: resolve,
        error: reject,
      })
    })
    assert.ok(samples.length >= 3, `${samples.length}`)
    // Those that came after the stop may have met an empty cgroup: the task dead, its end not yet told.
    for (const { memoryBytes, pids } of samples.slice(0, 3)) assert.ok(memoryBytes !== 0 && pids !== 0)
  })

  check('counts the processes of the whole tree', ['usage'], async bench => {
    const task = bench.shell('sleep 1000 & sleep 1000 & echo ready; wait')
    await task.start()
    await untilOutput(task, 'ready')
    assert.equal((await task.usage()).pids, 3)
  })

  if (platform === 'linux') return

  check('accepts limits, and says that it does not enforce them', async bench => {
    const task = bench.shell('exit 0')
    await task.limit({ memoryMB: 64, pids: 10, cpuLimit: 0.5, rlimits: { nofile: 64 }, wallTimeMs: 60_000 })
    await task.start()
    const rows = new Map(task.enforcement.map(row => [row.name, row]))
    for (const name of ['memoryMB', 'pids', 'cpuLimit', 'rlimits.nofile']) {
      const { status, reason, hint, kind } = rows.get(name) ?? {}
      assert.deepEqual({ name, status, kind }, { name, status: 'skipped', kind: 'limit' })
      assert.ok(reason && hint)
    }
    assert.equal(rows.get('wallTimeMs')?.status, 'enforced')
    assert.equal((await task.wait()).exitCode, 0)
  })

  check('refuses to start with limits it cannot enforce where the supervisor is strict', async bench => {
    const strict = bench.another({ strict: true })
    const task = bench.commandOf(strict, '/bin/true')
    await task.limit({ memoryMB: 64 })
    await refuses(task.start(), {
      code: 'LIMIT_FAILED',
      message: /memoryMB/,
      hint: /linux executor|on Linux/,
    })
    const isolated = bench.commandOf(strict, '/bin/true')
    isolated.command.network = 'none'
    await refuses(isolated.start(), { code: 'ISOLATION_FAILED', message: /network/ })
    const plain = bench.commandOf(strict, '/bin/true')
    await plain.start()
    assert.equal((await plain.wait()).exitCode, 0)
  })
}
