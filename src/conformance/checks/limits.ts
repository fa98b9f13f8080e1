import { availableParallelism } from 'node:os'
import { written } from '../bench.ts'
import type { Check } from '../check.ts'
import { expect, expectThat } from '../expect.ts'

export const limits: readonly Check[] = [
  {
    name: 'memory: what takes more is killed, and the result says so',
    group: 'limits',
    run: async bench => {
      const resources = { memoryMB: 32 }
      await bench.needs(['memoryMB'], resources)
      // Keeps what it reads until it sees a last line: there is none.
      const task = bench.shell('exec tail /dev/zero')
      await task.limit(resources)
      await task.start()
      const { oomKilled, cause } = await task.wait()
      expect('the result', { oomKilled, cause }, { oomKilled: true, cause: 'oom' })
    },
  },
  {
    name: 'cpuLimit: no more processor time than the quota',
    group: 'limits',
    run: async bench => {
      const resources = { cpuLimit: 0.2, wallTimeMs: 2000 }
      await bench.needs(['cpuLimit'], resources)
      const task = bench.shell('while :; do :; done')
      await task.limit(resources)
      await task.start()
      const { usage, startedAt, exitedAt } = await task.wait()
      const cpu = (usage?.cpuUserMs ?? 0) + (usage?.cpuSystemMs ?? 0)
      const wall = (exitedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)
      expectThat(
        cpu > 0 && cpu < wall * 0.4,
        `${cpu} ms of processor time in ${wall} ms, under a quota of 0.2`,
      )
    },
  },
  {
    name: 'cpuset: it runs on the processors it was given',
    group: 'limits',
    run: async bench => {
      const resources = { cpuset: '0' }
      await bench.needs(['cpuset'], resources)
      const task = bench.shell('nproc')
      await task.limit(resources)
      await task.start()
      await task.wait()
      expect(`processors, of ${availableParallelism()}`, await written(task), '1\n')
    },
  },
  {
    name: 'pids: no more processes than allowed',
    group: 'limits',
    run: async bench => {
      const resources = { pids: 8 }
      await bench.needs(['pids'], resources)
      const task = bench.shell('i=0; while [ $i -lt 20 ]; do sleep 600 & i=$((i + 1)); done; echo all')
      await task.limit(resources)
      await task.start()
      const { exitCode } = await task.wait()
      const said = await written(task)
      expectThat(exitCode !== 0 && said === '', `twenty children could be forked (exit code ${exitCode})`)
    },
  },
  {
    name: 'rlimits: soft and hard, and not to be raised',
    group: 'limits',
    run: async bench => {
      const resources = { rlimits: { nofile: 77 } }
      await bench.needs(['rlimits.nofile'], resources)
      const task = bench.shell('ulimit -Sn; ulimit -Hn; ulimit -n 100 2>/dev/null && echo raised; true')
      await task.limit(resources)
      await task.start()
      await task.wait()
      expect('the limits', await written(task), '77\n77\n')
    },
  },
]
