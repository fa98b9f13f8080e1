import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../support/eventually.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { keyOf, startRecordOf } from '../../support/task-key.ts'
import { hasCgroups } from '../../support/host-mode.ts'
import { weakest } from '../../support/identity.ts'
import type { Section } from './adapter.ts'

const waiting = 'echo ready; while :; do sleep 0.05; done'

/** Other limits for a task that runs, as far as every adapter has them. */
export const updating: Section = (check, { platform }) => {
  // An ordinary user has no cgroup v1, and a v2 only where it is delegated.
  const limited = platform === 'linux' && hasCgroups()
  check('refuses other limits before the start and after the end, and what is no limit', async bench => {
    const task = bench.shell(waiting)
    await refuses(task.update({ pids: 5 }), { code: 'INVALID_STATE' })
    await task.start()
    await refuses(task.update({ pids: -5 }), { code: 'INVALID_ARGUMENT', message: /pids.*-5/ })
    await refuses(task.update(undefined as never), { code: 'INVALID_ARGUMENT' })
    await task.forceStop()
    await refuses(task.update({ pids: 5 }), { code: 'INVALID_STATE' })
  })

  check('refuses limits that contradict those it has, naming the field', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64 })
    await task.start()
    await refuses(task.update({ memoryReserveBytes: 65 * 1024 * 1024 }), {
      code: 'INVALID_ARGUMENT',
      message: /memoryReserveBytes/,
    })
  })

  check('reports what became of each, to whoever looks, and keeps the other rows', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64, cpu: 200 })
    await task.start()
    await untilOutput(task, 'ready')
    const before = task.enforcement
    await task.update({ memoryBytes: 48 * 1024 * 1024 })
    const expected = limited ? 'enforced' : 'skipped'
    const rows = new Map(task.enforcement.map(row => [row.name, row]))
    assert.equal(rows.has('memoryMB'), false)
    assert.equal(rows.get('memoryBytes')?.status, expected)
    assert.equal(rows.get('memoryBytes')?.requested, String(48 * 1024 * 1024))
    assert.deepEqual(
      task.enforcement.filter(({ name }) => !name.startsWith('memory')),
      before.filter(({ name }) => !name.startsWith('memory')),
    )
    const taken = await bench.another().open(task.id())
    assert.deepEqual(taken.enforcement, task.enforcement)
    await taken.update({ cpu: 300 })
    assert.equal(task.enforcement.find(({ name }) => name === 'cpu')?.requested, '300')
    assert.equal(task.enforcement.find(({ name }) => name === 'memoryBytes')?.status, expected)
  })

  check('loses no change of several supervisors at the same time, whatever else they write', async bench => {
    const task = bench.shell(waiting)
    await task.limit({ memoryMB: 64, cpu: 200 })
    await task.start()
    const [one, two] = await Promise.all([bench.another().open(task.id()), bench.another().open(task.id())])
    for (let round = 0; round < 10; round++) {
      await Promise.all([
        one.update({ cpu: 300 + round }),
        two.update({ memoryMB: 40 + round }),
        task.update({ wallTimeMs: 3_600_000 + round }),
      ])
      const rows = new Map(task.enforcement.map(({ name, requested }) => [name, requested]))
      assert.deepEqual(
        [rows.get('cpu'), rows.get('memoryMB'), rows.get('wallTimeMs')],
        [`${300 + round}`, `${40 + round}`, `${3_600_000 + round}`],
      )
    }
    // Everybody writes task.json once more now.
    await two.shutdown({ graceMs: 0 })
    await Promise.all([one.wait(), task.wait()])
    const rows = new Map(
      (await bench.another().open(task.id())).enforcement.map(row => [row.name, row.requested]),
    )
    assert.deepEqual([rows.get('cpu'), rows.get('memoryMB')], ['309', '49'])
  })

  check('takes a time limit, counted from the start', ['signals'], async bench => {
    const task = bench.command('/bin/sleep', '1000')
    await task.start()
    await task.update({ wallTimeMs: 3_600_000 })
    assert.equal(task.state, 'running')
    await task.update({ wallTimeMs: 1 })
    const { cause, signal } = await task.wait()
    assert.deepEqual({ cause, signal }, { cause: 'timeout', signal: 'SIGTERM' })
    assert.equal(task.enforcement.find(({ name }) => name === 'wallTimeMs')?.status, 'enforced')
  })

  check('takes a limit on output, of what has come since the start', ['signals'], async bench => {
    const task = bench.shell('printf 0123456789; echo ready; sleep 1000')
    await task.start()
    await untilOutput(task, 'ready')
    await task.update({ outputBytes: 1000 })
    assert.equal(task.state, 'running')
    await task.update({ outputBytes: 10 })
    const { cause, signal } = await task.wait()
    assert.deepEqual({ cause, signal }, { cause: 'output', signal: 'SIGTERM' })
    assert.equal(task.enforcement.find(({ name }) => name === 'outputBytes')?.status, 'enforced')
  })

  check('gives a task more time than it had', async bench => {
    const task = bench.shell('echo ready; until [ -e $HOLDFAST_TASK_DIR/go ]; do sleep 0.02; done; exit 5')
    await task.limit({ wallTimeMs: 20_000 })
    await task.start()
    await untilOutput(task, 'ready')
    await task.update({ wallTimeMs: 3_600_000 })
    await outputOf(bench.shellIn(task, 'echo > $HOLDFAST_TASK_DIR/go'))
    const { exitCode, cause } = await task.wait()
    assert.deepEqual({ exitCode, cause }, { exitCode: 5, cause: 'exited' })
  })

  if (!limited) return

  check('kills for memory at the new limit and not at the old one, up or down', async bench => {
    // 40 MiB are kept for as long as it runs.
    const hog =
      'echo ready; until [ -e /local/go ]; do sleep 0.02; done; head -c 40M /dev/zero | tail -c 40M | wc -c'
    for (const [before, after, cause] of [
      [96, 24, 'oom'],
      [24, 96, 'exited'],
    ] as const) {
      const task = bench.shell(hog)
      await task.limit({ memoryMB: before })
      await task.start()
      await untilOutput(task, 'ready')
      await task.update({ memoryMB: after })
      assert.equal((await task.usage()).memoryLimitBytes, after * 1024 * 1024)
      await outputOf(bench.shellIn(task, 'echo > /local/go'))
      const { oomKilled } = await task.wait()
      assert.equal(oomKilled, cause === 'oom')
      if (cause === 'exited') assert.match(await output(task), /41943040/)
    }
  })

  check('takes no memory limit below what is in use, and leaves every limit as it was', async bench => {
    const task = bench.shell('head -c 20M /dev/zero > /tmp/kept; echo ready; sleep 1000')
    await task.limit({ memoryMB: 64, cpu: 200 })
    await task.start()
    await untilOutput(task, 'ready')
    const rows = task.enforcement
    await refuses(task.update({ cpu: 300, memoryMB: 4 }), {
      code: 'LIMIT_FAILED',
      stage: 'cgroup',
      errno: 'EBUSY',
      message: /no limit was changed/,
      hint: /uses more/,
    })
    assert.equal((await task.usage()).memoryLimitBytes, 64 * 1024 * 1024)
    assert.deepEqual(task.enforcement, rows)
    assert.equal(task.state, 'running')
  })

  check('holds back a task that used to have the processor to itself', async bench => {
    const task = bench.shell('echo ready; while :; do :; done')
    await task.limit({ cpuLimit: 4 })
    await task.start()
    await untilOutput(task, 'ready')
    assert.equal((await task.usage()).throttledMs, 0)
    // So little that it is held back however much else the host does.
    await task.update({ cpuLimit: 0.01 })
    await eventually(async () => assert.ok(((await task.usage()).throttledMs ?? 0) > 0))
  })

  check('lets no more processes in than the new limit, and those that are there stay', async bench => {
    const task = bench.shell('sleep 1000 & sleep 1000 & echo ready; wait')
    await task.limit({ pids: 50 })
    await task.start()
    await untilOutput(task, 'ready')
    await task.update({ pids: 3 })
    await refuses(bench.exec(task, '/bin/true').start(), { code: 'START_FAILED', errno: 'EAGAIN' })
    await task.update({ pids: 50 })
    assert.equal(await outputOf(bench.exec(task, '/bin/echo', 'room')), 'room\n')
    assert.equal(task.state, 'running')
  })

  check('takes a limit of a kind that it was started without', async bench => {
    const task = bench.shell('sleep 1000 & sleep 1000 & echo ready; wait')
    await task.start()
    await untilOutput(task, 'ready')
    await task.update({ pids: 6, cpuLimit: 0.5 })
    const rows = new Map(task.enforcement.map(row => [row.name, row.status]))
    assert.deepEqual([rows.get('pids'), rows.get('cpuLimit')], ['enforced', 'enforced'])
    assert.equal((await task.usage()).pids, 3)
    // Its own processes and a session's count alike.
    const session = bench.shellIn(task, 'sleep 1000 & sleep 1000 & sleep 1000 & echo never')
    await session.start()
    assert.equal((await session.wait()).exitCode, 2)
    assert.match(await output(session, 'stderr'), /fork/i)
    // Another supervisor changes it again, and finds it where it is.
    const taken = await bench.another().open(task.id())
    await taken.update({ pids: 50 })
    assert.equal(await outputOf(bench.shellIn(taken, 'sleep 0.01 & sleep 0.01 & wait; echo room')), 'room\n')
    assert.equal(task.state, 'running')
  })

  check('leaves none of its processes outside of a limit that it gets while it forks', async bench => {
    const task = bench.shell('echo ready; while :; do (sleep 0.03 &); (sleep 0.03 &); done')
    await task.start()
    await untilOutput(task, 'ready')
    const session = bench.shellIn(task, 'echo ready; while :; do (sleep 0.03 &); done')
    await session.start()
    await untilOutput(session, 'ready')
    await task.update({ pids: 500 })
    const [first = ''] = startRecordOf(task).cgroups
    let seen = 0
    for (let look = 0; look < 20 || seen < 100; look++, await sleep(5))
      for (const pid of readFileSync(join(first, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
        const lines = cgroupsOfProcess(pid)
        // On v1 one that exits is shown at the root of every hierarchy (proc_cgroup_show()).
        if (!lines.some(line => /^0::|[:,]memory[,:]/.test(line) && line.endsWith(keyOf(task)))) continue
        seen++
        assert.deepEqual(
          lines.filter(line => /[:,]pids[,:]/.test(line) && !line.endsWith(keyOf(task))),
          [],
        )
      }
  })

  check('says that running processes keep their rlimits; strict takes nothing then', async bench => {
    const task = bench.shell(waiting)
    await task.start()
    await task.update({ rlimits: { nofile: 33 } })
    assert.equal(task.enforcement.find(({ name }) => name === 'rlimits.nofile')?.status, 'weakened')
    assert.equal(await outputOf(bench.shellIn(task, 'ulimit -n')), '33\n')
    const exact = bench.commandOf(bench.another({ strict: true }), '/bin/sh', '-c', waiting)
    exact.command.user = weakest
    await exact.limit({ memoryMB: 64 })
    await exact.start()
    await refuses(exact.update({ rlimits: { nofile: 33 }, memoryMB: 32 }), {
      code: 'LIMIT_FAILED',
      message: /rlimits/,
    })
    assert.equal((await exact.usage()).memoryLimitBytes, 64 * 1024 * 1024)
  })
}

/** None when it has ended meanwhile. */
function cgroupsOfProcess(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n')
  } catch {
    return []
  }
}
