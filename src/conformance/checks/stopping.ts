import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, written } from '../bench.ts'
import type { Check } from '../check.ts'
import { expect, Skipped } from '../expect.ts'
import { beats, expectSilence, heartbeat, until } from '../waiting.ts'

/** Started, and known to run. */
async function started(bench: Bench, script: string) {
  const task = bench.shell(script)
  await task.start()
  await until('the heartbeat', () => beats(bench) > 0)
  return task
}

export const stopping: readonly Check[] = [
  {
    name: 'a task that obeys SIGTERM ends in order',
    group: 'stopping',
    run: async bench => {
      const task = await started(bench, `trap 'sleep 0.1; echo tidied; exit 7' TERM; ${heartbeat}`)
      const { exitCode, signal, cause, successful } = await task.shutdown({ graceMs: 30_000 })
      expect(
        'the result',
        { exitCode, signal, cause, successful },
        { exitCode: 7, signal: null, cause: 'shutdown', successful: false },
      )
      expect('what it wrote meanwhile', await written(task), 'tidied\n')
    },
  },
  {
    name: 'one that ignores it is killed after the grace',
    group: 'stopping',
    run: async bench => {
      const task = await started(bench, `trap '' TERM; ${heartbeat}`)
      const { signal, cause } = await task.shutdown({ graceMs: 200 })
      expect('the result', { signal, cause }, { signal: 'SIGKILL', cause: 'forced' })
      await expectSilence(bench)
    },
  },
  {
    name: 'the wall time limit is kept',
    group: 'stopping',
    run: async bench => {
      const task = bench.shell(heartbeat)
      await task.limit({ wallTimeMs: 300 })
      await task.start()
      const { exitCode, signal, cause } = await task.wait()
      expect(
        'the result',
        { exitCode, signal, cause },
        { exitCode: null, signal: 'SIGTERM', cause: 'timeout' },
      )
    },
  },
  {
    name: 'forceStop ends children that left the session and ignore signals',
    group: 'stopping',
    run: async bench => {
      if (!bench.adapter.native) throw new Skipped('the portable shim kills the process group only')
      const task = await started(
        bench,
        `(trap '' TERM HUP; setsid sh -c "trap '' TERM HUP; ${heartbeat}" & ) & sleep 600`,
      )
      expect('the cause', (await task.forceStop()).cause, 'forced')
      await expectSilence(bench)
    },
  },
  {
    name: 'a leader that ends takes its children along',
    group: 'stopping',
    run: async bench => {
      const task = await started(bench, `(${heartbeat}) & sleep 1; exit 3`)
      expect('the exit code', (await task.wait()).exitCode, 3)
      await expectSilence(bench)
    },
  },
  {
    name: 'destroy leaves nothing in the state directory',
    group: 'stopping',
    run: async bench => {
      const task = await started(bench, heartbeat)
      await task.destroy()
      await sleep(0)
      const again = bench.supervisor()
      const report = await again.openAll()
      expect(
        'what is found',
        [report.resumed.length, report.exited.length, report.lost.length, report.quarantined.length],
        [0, 0, 0, 0],
      )
    },
  },
]
