import { openIdIn } from '../reopen.ts'
import type { Check } from '../check.ts'
import { expect, Skipped } from '../expect.ts'
import { beats, expectSilence, heartbeat, until } from '../waiting.ts'

export const reopening: readonly Check[] = [
  {
    name: 'a task outlives its supervisor, and the next one gets its result',
    group: 'reopening',
    run: async bench => {
      const first = bench.supervisor()
      const task = bench.shell(`trap 'exit 9' TERM; ${heartbeat}`, {}, first)
      await task.start()
      await until('the heartbeat', () => beats(bench) > 0)
      const id = task.id()
      await first.close()
      const before = beats(bench)
      await until('a heartbeat without a supervisor', () => beats(bench) > before)
      const again = await openIdIn(bench, id)
      expect('its state', again.state, 'running')
      const { exitCode, cause } = await again.shutdown({ graceMs: 30_000 })
      expect('its result', { exitCode, cause }, { exitCode: 9, cause: 'shutdown' })
    },
  },
  {
    name: 'one that ended meanwhile is found with its result',
    group: 'reopening',
    run: async bench => {
      const first = bench.supervisor()
      const task = bench.shell('sleep 0.5; exit 11', {}, first)
      await task.start()
      const id = task.id()
      await first.close()
      const { exitCode, evidence } = await (await openIdIn(bench, id)).wait()
      expect('its result', { exitCode, evidence }, { exitCode: 11, evidence: 'record' })
    },
  },
  {
    name: "under orphans: 'kill' it ends with its supervisor",
    group: 'reopening',
    run: async bench => {
      if (process.platform === 'win32') throw new Skipped('there are no FIFOs here')
      const owner = bench.supervisor({ orphans: 'kill' })
      await bench.shell(heartbeat, {}, owner).start()
      await until('the heartbeat', () => beats(bench) > 0)
      await owner.close()
      await expectSilence(bench)
    },
  },
]
