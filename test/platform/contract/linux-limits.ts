import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Executor, Resources } from '../../../src/index.ts'
import { linuxMode } from '../../support/host-mode.ts'
import { weakest } from '../../support/identity.ts'
import { untilNoneLeft } from '../../support/leftovers.ts'
import { outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { keyOf, startRecordOf } from '../../support/task-key.ts'
import type { Workbench } from '../../support/workbench.ts'
import type { Section } from './adapter.ts'

const mebibyte = 1024 * 1024
/** Keeps what it reads until it sees the last line: there is none. */
const memoryHog = '/usr/bin/tail /dev/zero'

async function limited(task: Executor, resources: Resources): Promise<Executor> {
  await task.limit(resources)
  return task
}

/**
 * Whether this host keeps that limit for this user; where not, the row must say why, and what would change
 * it.
 */
export async function keeps(
  bench: Workbench,
  limit: keyof Resources,
  resources: Resources,
): Promise<boolean> {
  const task = await limited(bench.command('/bin/true'), resources)
  await task.start()
  const row = task.enforcement.find(({ name }) => name === limit)
  if (row?.status === 'enforced') return true
  assert.ok(row?.reason && row.hint, JSON.stringify(row))
  // Root may have every controller that the kernel has.
  assert.notEqual(process.geteuid?.(), 0, JSON.stringify(row))
  process.stderr.write(`SKIPPED ${limit}: ${row.reason}; ${row.hint}\n`)
  return false
}

export const memory: Section = check => {
  check('counts how often a limit held it up, and zero where none did', async bench => {
    const hungry = await limited(bench.command('/usr/bin/tail', '/dev/zero'), { memoryMB: 16 })
    await hungry.start()
    const { limitsHit, usage } = await hungry.wait()
    // On v1 a kernel may not count where memory and swap have one limit (6.18): then it is unknown.
    const high = limitsHit.memoryHigh ?? (linuxMode() === 'linux v1' ? 1 : 0)
    assert.ok((limitsHit.oomKills ?? 0) > 0 && high > 0, JSON.stringify(limitsHit))
    assert.equal(usage?.memoryLimitBytes, 16 * 2 ** 20)
    // memory.peak is there from Linux 5.19 on.
    const peak = usage.memoryPeakBytes ?? (linuxMode() === 'linux v1' ? 0 : 15 * 2 ** 20)
    assert.ok(peak > 14 * 2 ** 20 && peak <= 16 * 2 ** 20, `${peak}`)
    const modest = await limited(bench.shell('exit 0'), { memoryMB: 64, pids: 50, cpuLimit: 2 })
    await modest.start()
    const { egressDenied: _, memoryHigh = null, ...counted } = (await modest.wait()).limitsHit
    assert.ok(memoryHigh === null || memoryHigh === 0)
    assert.deepEqual(counted, {
      oomKills: 0,
      pidsRefused: 0,
      throttledMs: 0,
      logBytesDropped: 0,
    })
  })

  check('tells a plain SIGKILL from an OOM kill', async bench => {
    const task = await limited(bench.shell('kill -9 $$'), { memoryMB: 16 })
    await task.start()
    const { signal, cause, oomKilled } = await task.wait()
    assert.deepEqual({ signal, cause, oomKilled }, { signal: 'SIGKILL', cause: 'signaled', oomKilled: false })
  })

  check('tells a forced stop from an OOM kill', async bench => {
    const task = await limited(bench.command('/bin/sleep', '1000'), { memoryMB: 16 })
    await task.start()
    const { cause, oomKilled } = await task.forceStop()
    assert.deepEqual({ cause, oomKilled }, { cause: 'forced', oomKilled: false })
  })

  check(
    'is killed as a whole when memory is out: the leader does not live on without the one that took it',
    async bench => {
      const task = await limited(bench.shell(`sleep 1000 & ${memoryHog}; sleep 1000`), { memoryMB: 16 })
      await task.start()
      const { signal, cause, oomKilled } = await task.wait()
      assert.deepEqual({ signal, cause, oomKilled }, { signal: 'SIGKILL', cause: 'oom', oomKilled: true })
    },
  )

  check(
    "with oom: 'process' notes an OOM kill of a child, though the leader lives on to exit",
    async bench => {
      const task = await limited(bench.shell(`${memoryHog}; exit 5`), { memoryMB: 16, oom: 'process' })
      await task.start()
      const row = task.enforcement.find(({ name }) => name === 'oom')
      assert.equal(row?.status, 'enforced')
      const { exitCode, cause, oomKilled } = await task.wait()
      assert.deepEqual({ exitCode, cause, oomKilled }, { exitCode: 5, cause: 'exited', oomKilled: true })
    },
  )

  check("goes by the oom of an update: 'process', and 'task' again", async bench => {
    const twice = `${memoryHog}; echo one; until [ -e /local/go ]; do sleep 0.02; done; ${memoryHog}; sleep 1000`
    const task = await limited(
      bench.shell(`echo up; until [ -e /local/begin ]; do sleep 0.02; done; ${twice}`),
      { memoryMB: 16 },
    )
    await task.start()
    await untilOutput(task, 'up')
    await task.update({ oom: 'process' })
    await outputOf(bench.shellIn(task, 'echo > /local/begin'))
    await untilOutput(task, 'one')
    await task.update({ oom: 'task' })
    await outputOf(bench.shellIn(task, 'echo > /local/go'))
    const { signal, cause } = await task.wait()
    assert.deepEqual({ signal, cause }, { signal: 'SIGKILL', cause: 'oom' })
  })

  check('counts neither its shim nor the supervisor', async bench => {
    const task = await limited(bench.command('/bin/sleep', '1000'), { memoryMB: 16 })
    await task.start()
    const { shim, task: leader } = startRecordOf(task)
    assert.ok(!readFileSync(`/proc/${shim.pid}/cgroup`, 'utf8').includes(keyOf(task)))
    assert.ok(readFileSync(`/proc/${leader.pid}/cgroup`, 'utf8').includes(keyOf(task)))
  })

  check('shows its limit and its peak in usage()', async bench => {
    const task = await limited(bench.shell('echo ready; sleep 1000'), { memoryMB: 32 })
    await task.start()
    await untilOutput(task, 'ready')
    const { memoryLimitBytes, memoryPeakBytes, memoryBytes } = await task.usage()
    assert.equal(memoryLimitBytes, 32 * mebibyte)
    assert.ok((memoryPeakBytes ?? 0) >= (memoryBytes ?? 0) && (memoryBytes ?? 0) > 0)
  })
}

export const processor: Section = check => {
  check('refuses processors that the host does not have', async bench => {
    if (!(await keeps(bench, 'cpuset', { cpuset: '0' }))) return
    const task = await limited(bench.shell('exit 0'), { cpuset: '4000' })
    await refuses(task.start(), { code: 'INVALID_ARGUMENT', message: /cpuset.*4000/, hint: /./ })
  })
}

export const processes: Section = check => {
  if (linuxMode() === 'linux v1')
    check('kills what an earlier run has left in its cgroup, before it starts', async bench => {
      const executor = bench.supervisor.executor('linux')
      executor.command.path = '/bin/true'
      await limited(executor, { pids: 20 })
      // A first task makes the parent directory.
      await outputOf(await limited(bench.shell('exit 0'), { pids: 20 }))
      const cgroup = `/sys/fs/cgroup/pids/holdfast/${executor.key}`
      mkdirSync(cgroup)
      const leftover = spawn('/bin/sleep', ['1000'])
      const end = once(leftover, 'exit')
      try {
        writeFileSync(`${cgroup}/cgroup.procs`, `${leftover.pid}`)
        await executor.start()
        assert.deepEqual(await end, [null, 'SIGKILL'])
        assert.equal((await executor.wait()).exitCode, 0)
      } finally {
        leftover.kill('SIGKILL')
      }
    })
}

export const others: Section = check => {
  check('has the rlimits it was given, soft and hard', async bench => {
    const task = bench.shell('ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hf')
    await limited(task, { rlimits: { nofile: [64, 128], core: 0, fsize: 512 * 1024 } })
    assert.equal(await outputOf(task), '64\n128\n0\n1024\n')
  })

  if (linuxMode() === 'linux v1')
    check('writes every limit to the kernel, and swap is 0 unless asked for', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await limited(task, {
        cpu: 512,
        cpuLimit: 0.5,
        memoryMB: 64,
        memoryReserveBytes: 32 * mebibyte,
        pids: 33,
      })
      await task.start()
      const read = (controller: string, file: string): string =>
        readFileSync(`/sys/fs/cgroup/${controller}/holdfast/${keyOf(task)}/${file}`, 'utf8').trim()
      assert.equal(read('cpu', 'cpu.shares'), '512')
      assert.equal(Number(read('cpu', 'cpu.cfs_quota_us')) * 2, Number(read('cpu', 'cpu.cfs_period_us')))
      assert.equal(read('memory', 'memory.limit_in_bytes'), `${64 * mebibyte}`)
      assert.equal(read('memory', 'memory.soft_limit_in_bytes'), `${32 * mebibyte}`)
      assert.equal(read('pids', 'pids.max'), '33')
      const swap = task.enforcement.find(({ name }) => name === 'memoryMB')
      if (swap?.status === 'enforced')
        assert.equal(read('memory', 'memory.memsw.limit_in_bytes'), `${64 * mebibyte}`)
      else assert.match(swap?.reason ?? '', /swap|memsw/)
      await task.forceStop()
      await untilNoneLeft([keyOf(task)])
    })

  check('starts under strict exactly when every row is enforced', async bench => {
    const wishes: Resources[] = [
      { pids: 10 },
      { cpuLimit: 0.5, cpuset: '0' },
      { memoryMB: 64 },
      { iops: 500 },
    ]
    for (const wish of wishes) {
      const task = await limited(bench.shell('exit 0'), wish)
      await task.start()
      const short = task.enforcement.filter(({ kind, status }) => kind === 'limit' && status !== 'enforced')
      const strict = await limited(bench.commandOf(bench.another({ strict: true }), '/bin/true'), wish)
      strict.command.user = weakest
      if (short.length === 0) {
        await strict.start()
        assert.equal((await strict.wait()).exitCode, 0)
      } else {
        for (const { reason, hint } of short) assert.ok(reason && hint)
        await refuses(strict.start(), {
          code: 'LIMIT_FAILED',
          message: new RegExp(short[0]?.name ?? ''),
          hint: /./,
        })
        assert.equal(strict.state, 'exited')
      }
    }
  })
}
