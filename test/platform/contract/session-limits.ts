import { strict as assert } from 'node:assert'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Enforcement, Executor } from '../../../src/index.ts'
import { eventually } from '../../support/eventually.ts'
import { hasCgroups, linuxMode } from '../../support/host-mode.ts'
import { assertNoProcessLeft, untilNoneLeft } from '../../support/leftovers.ts'
import { output, outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { keyOf, startRecordOf } from '../../support/task-key.ts'
import type { Workbench } from '../../support/workbench.ts'
import type { Section } from './adapter.ts'

const mebibyte = 1024 * 1024

async function running(bench: Workbench, limits: object = {}): Promise<Executor> {
  const task = bench.shell('trap "sleep 0; echo forked" USR1; echo ready; while :; do sleep 0.05; done')
  await task.limit(limits)
  await task.start()
  await untilOutput(task, 'ready')
  return task
}

function rowOf(session: Executor, name: string): Enforcement | undefined {
  return session.enforcement.find(row => row.name === name)
}

/** Who has brought it in counts until it is gone. */
function untilProcesses(session: Executor, count: number): Promise<void> {
  return eventually(async () => assert.equal((await session.usage()).pids, count))
}

/** The first of a session's own cgroups that has this file. */
function own(session: Executor, file: string): string {
  const paths = startRecordOf(session).cgroups.map(dir => join(dir, file))
  const found = paths.find(path => existsSync(path))
  assert.ok(found, `${file} in ${paths.join(', ')}`)
  return found
}

/** Tries for thirty children at once, and says how that went. */
const bomb = 'echo on; i=0; while [ $i -lt 30 ]; do i=$((i+1)); sleep 1000 & done; exit 0'

/** Limits of a second command inside a task, where they can be had, and what is said where not. */
export const sessionLimits: Section = (check, { platform }) => {
  const canLimit = platform === 'linux' && hasCgroups()

  if (!canLimit) {
    check('are the task’s alone: rows say so, and strict refuses', async bench => {
      const task = await running(bench)
      const session = bench.exec(task, '/bin/sh', '-c', 'exit 3')
      await session.limit({ memoryMB: 16, pids: 5, cpuLimit: 0.5, cpu: 2 })
      await session.start()
      assert.equal((await session.wait()).exitCode, 3)
      for (const name of ['memoryMB', 'pids', 'cpuLimit', 'cpu']) {
        const row = rowOf(session, name)
        assert.deepEqual([row?.status, row?.chosen], ['skipped', false], name)
        assert.ok(row?.reason)
      }
      const strict = await bench.another({ strict: true }).open(task.id())
      const refused = bench.exec(strict, '/bin/sh', '-c', 'exit 3')
      await refused.limit({ memoryMB: 16 })
      await refuses(refused.start(), { code: 'LIMIT_FAILED', message: /memoryMB/ })
      assert.equal(task.state, 'running')
    })
    return
  }

  check('of memory: what runs out of its own is killed, all of it, and the task goes on', async bench => {
    const task = await running(bench, { memoryMB: 128 })
    const session = bench.exec(task, '/bin/sh', '-c', '(setsid sleep 1000 &); tail /dev/zero; sleep 1000')
    await session.limit({ memoryMB: 16 })
    await session.start()
    const { exitCode, signal, cause, oomKilled, limitsHit } = await session.wait()
    assert.deepEqual(
      { exitCode, signal, cause, oomKilled },
      { exitCode: null, signal: 'SIGKILL', cause: 'oom', oomKilled: true },
    )
    assert.ok((limitsHit.oomKills ?? 0) > 0)
    assert.equal(rowOf(session, 'memoryMB')?.status, 'enforced')
    await assertNoProcessLeft(session)
    // Another has as much again, and the task goes on as before.
    assert.equal(await outputOf(bench.exec(task, '/bin/echo', 'still')), 'still\n')
    assert.equal(task.state, 'running')
    const ended = await task.shutdown({ graceMs: 0 })
    assert.deepEqual([ended.oomKilled, ended.limitsHit.oomKills], [false, 0])
  })

  check('leave room for sessions without, and for others with limits of another kind', async bench => {
    // It forks all the time, and is moved all the same where it has to be.
    const task = bench.shell(
      'trap "exit 7" TERM; echo ready; until [ -e /tmp/calm ]; do /bin/true; done; while :; do sleep 1; done',
    )
    await task.limit({ memoryMB: 256, pids: 60, memoryReserveBytes: 8 * mebibyte })
    await task.start()
    await untilOutput(task, 'ready')
    const before = bench.exec(task, '/bin/sh', '-c', 'sleep 1000 & echo on; wait')
    await before.start()
    await untilOutput(before, 'on')
    for (const limits of [{ pids: 9 }, { memoryMB: 16 }, { cpuLimit: 0.5, cpu: 64 }]) {
      const session = bench.exec(task, '/bin/sh', '-c', '> /tmp/calm; sleep 1000 & echo on; wait')
      await session.limit(limits)
      await session.start()
      await untilOutput(session, 'on')
      for (const name of Object.keys(limits)) assert.equal(rowOf(session, name)?.status, 'enforced', name)
      assert.equal(await outputOf(bench.exec(task, '/bin/echo', 'in')), 'in\n')
    }
    // All of them count in the task.
    assert.ok(((await task.usage()).pids ?? 0) >= 9)
    const { exitCode, oomKilled, limitsHit } = await task.shutdown({ graceMs: 10_000 })
    assert.deepEqual([exitCode, oomKilled, limitsHit.oomKills], [7, false, 0])
    // The result is told before they are removed.
    await untilNoneLeft([keyOf(before), keyOf(task)])
  })

  check('are kept for who takes it over, and go with the task', async bench => {
    const task = await running(bench)
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.limit({ memoryMB: 32, pids: 5 })
    await session.start()
    const { cgroups } = startRecordOf(session)
    const taken = await bench.another().open(session.id())
    assert.deepEqual(taken.enforcement, session.enforcement)
    assert.equal((await taken.usage()).memoryLimitBytes, 32 * mebibyte)
    await task.forceStop()
    assert.equal((await taken.wait()).signal, 'SIGKILL')
    await taken.destroy()
    assert.deepEqual(cgroups.filter(existsSync), [])
  })

  // Where the cgroups lie makes no difference to the rest.
  if (linuxMode()?.startsWith('systemd')) return

  check('of processes: it is refused at its own number, and the task forks on', async bench => {
    const task = await running(bench)
    const session = bench.exec(task, '/bin/sh', '-c', bomb)
    await session.limit({ pids: 8 })
    await session.start()
    const { exitCode, limitsHit } = await session.wait()
    assert.equal(exitCode, 2)
    assert.match(await output(session, 'stderr'), /fork/i)
    assert.ok((limitsHit.pidsRefused ?? 0) > 0)
    // What it had started has gone with it.
    await assertNoProcessLeft(session)
    await task.signal('SIGUSR1')
    await untilOutput(task, 'forked')
    assert.equal((await task.shutdown({ graceMs: 0 })).limitsHit.pidsRefused ?? 0, 0)
  })

  check('of processor time, and all that the kernel has been told of', async bench => {
    const task = await running(bench, { memoryMB: 256 })
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.limit({ cpuLimit: 0.5, cpu: 64, memoryBytes: 32 * mebibyte, pids: 9 })
    await session.start()
    assert.deepEqual(
      ['cpuLimit', 'cpu', 'memoryBytes', 'pids'].map(name => rowOf(session, name)?.status),
      Array.from({ length: 4 }, () => 'enforced'),
    )
    const read = (file: string): string => readFileSync(own(session, file), 'utf8').trim()
    if (linuxMode() === 'linux v1') {
      assert.equal(Number(read('cpu.cfs_quota_us')), Number(read('cpu.cfs_period_us')) / 2)
      assert.deepEqual([read('cpu.shares'), read('memory.limit_in_bytes')], ['64', String(32 * mebibyte)])
    } else assert.deepEqual([read('cpu.max'), read('memory.max')], ['50000 100000', String(32 * mebibyte)])
    assert.equal(read('pids.max'), '9')
    for (const dir of startRecordOf(session).cgroups)
      assert.deepEqual([basename(dir), basename(dirname(dir)).endsWith(keyOf(task))], [keyOf(session), true])
  })

  check('leave it a part of the task: it counts there, and its usage is its own', async bench => {
    const task = await running(bench, { memoryMB: 256, pids: 50 })
    const before = (await task.usage()).pids ?? 0
    const session = bench.exec(task, '/bin/sh', '-c', 'sleep 1000 & sleep 1000 & echo on; wait')
    await session.limit({ memoryMB: 32 })
    await session.start()
    await untilOutput(session, 'on')
    await untilProcesses(session, 3)
    const usage = await session.usage()
    assert.equal(usage.memoryLimitBytes, 32 * mebibyte)
    assert.ok((usage.memoryBytes ?? 0) > 0 && (usage.memoryBytes ?? 0) <= 32 * mebibyte)
    assert.ok((usage.cpuMs ?? 0) > 0)
    // The task's loop has one more at times.
    assert.ok(((await task.usage()).pids ?? 0) >= before + 2)
    assert.equal((await task.usage()).memoryLimitBytes, 256 * mebibyte)
    assert.equal((await session.forceStop()).cause, 'forced')
    await assertNoProcessLeft(session)
    assert.equal(task.state, 'running')
  })

  check('are held by the task’s, which are met first where they are less', async bench => {
    const task = bench.shell('echo ready; exec sleep 1000')
    await task.limit({ memoryMB: 32, pids: 8 })
    await task.start()
    await untilOutput(task, 'ready')
    const forking = bench.exec(task, '/bin/sh', '-c', bomb)
    await forking.limit({ pids: 100 })
    await forking.start()
    assert.equal((await forking.wait()).exitCode, 2)
    const hungry = bench.exec(task, '/usr/bin/tail', '/dev/zero')
    await hungry.limit({ memoryMB: 512 })
    await hungry.start()
    assert.equal((await hungry.wait()).signal, 'SIGKILL')
    // It has used up what is the task's.
    assert.equal((await task.wait()).cause, 'oom')
  })

  check('of two are two', async bench => {
    const task = await running(bench)
    const sessions = [6, 12].map(pids => ({ pids, session: bench.exec(task, '/bin/sh', '-c', bomb) }))
    for (const { pids, session } of sessions) {
      await session.limit({ pids })
      await session.start()
    }
    for (const { session } of sessions) {
      assert.equal((await session.wait()).exitCode, 2)
      assert.ok(((await session.wait()).limitsHit.pidsRefused ?? 0) > 0)
    }
  })

  check('are the session’s still when the task gets others while both run', async bench => {
    const task = await running(bench)
    const session = bench.exec(task, '/bin/sh', '-c', 'sleep 1000 & echo on; wait')
    await session.limit({ pids: 8 })
    await session.start()
    await untilOutput(session, 'on')
    await task.update({ pids: 40, cpuLimit: 1 })
    assert.equal(task.enforcement.find(({ name }) => name === 'pids')?.status, 'enforced')
    await untilProcesses(session, 2)
    // What the task has is its own processes and the session's.
    assert.ok(((await task.usage()).pids ?? 0) >= 3)
    const cgroups = readFileSync(`/proc/${startRecordOf(session).task.pid}/cgroup`, 'utf8')
    assert.match(cgroups, new RegExp(`(pids|0:):.*[/.]${keyOf(task)}/${keyOf(session)}$`, 'm'))
    const plain = bench.exec(task, '/bin/sh', '-c', bomb)
    await plain.start()
    assert.equal((await plain.wait()).exitCode, 0)
  })

  check('of which one is met by the task alone are counted there', async bench => {
    const task = bench.shell(
      `trap '${bomb.replace('exit 0', 'wait')}' USR1; echo ready; while :; do sleep 0.05; done`,
    )
    await task.limit({ pids: 12 })
    await task.start()
    await untilOutput(task, 'ready')
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.limit({ pids: 5 })
    await session.start()
    await task.signal('SIGUSR1')
    const result = await task.wait()
    assert.equal(result.exitCode, 2)
    assert.ok((result.limitsHit.pidsRefused ?? 0) > 0)
  })

  check('can be changed while it runs, those that it was started with', async bench => {
    const task = await running(bench)
    const session = bench.exec(task, '/bin/sleep', '1000')
    await session.limit({ memoryMB: 32 })
    await session.start()
    await session.update({ memoryMB: 48 })
    assert.equal((await session.usage()).memoryLimitBytes, 48 * mebibyte)
    assert.equal(rowOf(session, 'memoryMB')?.requested, '48')
    await session.update({ iops: 100 })
    assert.equal(rowOf(session, 'iops')?.status, 'skipped')
  })

  check('hold without a pid namespace, too', async bench => {
    const task = bench.shell('echo ready; while :; do sleep 0.05; done')
    task.command.namespaces = { pid: false }
    await task.start()
    await untilOutput(task, 'ready')
    const hungry = bench.exec(task, '/bin/sh', '-c', '(setsid sleep 1000 &); exec tail /dev/zero')
    await hungry.limit({ memoryMB: 16 })
    await hungry.start()
    assert.equal((await hungry.wait()).cause, 'oom')
    await assertNoProcessLeft(hungry)
    const left = bench.exec(task, '/bin/sh', '-c', 'sleep 1000 & echo on; wait')
    await left.limit({ memoryMB: 16, pids: 9 })
    await left.start()
    await untilOutput(left, 'on')
    assert.equal(task.state, 'running')
    await task.forceStop()
    assert.equal((await left.wait()).signal, 'SIGKILL')
    await untilNoneLeft([keyOf(left), keyOf(task)])
  })
}
