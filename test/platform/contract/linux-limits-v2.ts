import { strict as assert } from 'node:assert'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../../src/index.ts'
import { assertNoProcessLeft } from '../../support/leftovers.ts'
import { output, untilOutput } from '../../support/output.ts'
import { withSwap } from '../../support/swap.ts'
import { startRecordOf } from '../../support/task-key.ts'
import { missingOf } from '../../support/requires.ts'
import type { Section } from './adapter.ts'
import { keeps } from './linux-limits.ts'

const mebibyte = 1024 * 1024

function cgroupOf(task: Executor): string {
  const [cgroup = ''] = startRecordOf(task).cgroups
  return cgroup
}

/** What only cgroup v2 does, each by its effect. */
export const unified: Section = check => {
  check('is OOM-killed as a whole: no child goes without the leader and the others', async bench => {
    const task = bench.shell('sleep 1000 & tail /dev/zero; exit 5')
    await task.limit({ memoryMB: 16 })
    await task.start()
    const { exitCode, signal, cause, oomKilled } = await task.wait()
    assert.deepEqual(
      { exitCode, signal, cause, oomKilled },
      { exitCode: null, signal: 'SIGKILL', cause: 'oom', oomKilled: true },
    )
  })

  check('leaves nothing of a tree that keeps forking, without a pid namespace: cgroup.kill', async bench => {
    const task = bench.shell('echo ready; while :; do (setsid sleep 30 &); done')
    task.command.namespaces = { pid: false }
    await task.limit({ pids: 200 })
    await task.start()
    await untilOutput(task, 'ready')
    await task.forceStop()
    await assertNoProcessLeft(task)
  })

  check('shows the pressure it is under in its own cgroup', async bench => {
    const task = bench.shell('while :; do :; done')
    await task.limit({ cpuLimit: 0.2 })
    await task.start()
    for (const name of ['cpu', 'memory', 'io'])
      assert.match(
        readFileSync(join(cgroupOf(task), `${name}.pressure`), 'utf8'),
        /^some avg10=[\d.]+ .*total=\d+$/m,
      )
    // Throttled four fifths of the time, it stalls: the total goes up.
    const total = () =>
      Number(/^some .*total=(\d+)$/m.exec(readFileSync(join(cgroupOf(task), 'cpu.pressure'), 'utf8'))?.[1])
    for (let tries = 0; total() === 0 && tries < 200; tries++)
      await new Promise(resolve => setTimeout(resolve, 50))
    assert.ok(total() > 0)
  })

  check('reads and writes no faster than its device allows', async bench => {
    const device = blockDeviceOf(bench.stateDir)
    if (device === null) {
      process.stderr.write(`SKIPPED io.max: ${bench.stateDir} lies on no block device of its own\n`)
      return
    }
    const bytesPerSecond = 2 * mebibyte
    const io = [{ device, readBps: bytesPerSecond, writeBps: bytesPerSecond }]
    if (!(await keeps(bench, 'io', { io }))) return
    const task = bench.shell(
      'dd if=/dev/zero of=/local/file bs=256k count=24 oflag=direct; dd if=/local/file of=/dev/null bs=256k iflag=direct',
    )
    await task.limit({ io })
    await task.start()
    const { startedAt, exitedAt, exitCode } = await task.wait()
    assert.equal(exitCode, 0, await output(task, 'stderr'))
    const seconds = ((exitedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)) / 1000
    // 6 MiB out and 6 in, at 2 a second: 6 seconds, less what the kernel lets through at the begin of each
    // slice.
    assert.ok(seconds > 4.5, `12 MiB took ${seconds} s`)
  })

  if (missingOf(['throwaway', 'root']) === null)
    check('does not swap unless it may, on a host that has swap', async bench => {
      await withSwap(async () => {
        const hog =
          'import sys; held = bytearray(40 << 20); held[::4096] = b"x" * len(held[::4096]); print("held", flush=True)'
        const outcome = async (swapBytes?: number): Promise<boolean> => {
          const task = bench.command('/usr/bin/python3', '-c', hog)
          await task.limit({ memoryMB: 24, ...(swapBytes === undefined ? {} : { swapBytes }) })
          await task.start()
          assert.equal(task.enforcement.find(({ name }) => name === 'memoryMB')?.status, 'enforced')
          return (await task.wait()).oomKilled
        }
        assert.deepEqual([await outcome(), await outcome(96 * mebibyte)], [true, false])
      })
    })
}

/** The whole disk under a directory: io.max takes no partitions. Null for a file system without one. */
function blockDeviceOf(path: string): string | null {
  const { dev } = statSync(path)
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)]
  return major !== 0 && statSync(`/sys/dev/block/${major}:${minor}`, { throwIfNoEntry: false })
    ? `${major}:${minor}`
    : null
}
