import { availableParallelism } from 'node:os'
import { written } from '../bench.ts'
import type { Check } from '../check.ts'
import { expect, expectThat } from '../expect.ts'

export const limits: readonly Check[] = [
  {
    name: 'memory: what takes more is killed, and the result says so',
    group: 'limits',
    run: async bench => {
      const resources = { memoryMB: 16 }
      await bench.needs(['memoryMB'], resources)
      // Keeps what it reads until it sees a last line: there is none.
      const task = bench.shell('exec tail /dev/zero')
      await task.limit(resources)
      await task.start()
      const { exitCode, signal, cause, oomKilled, successful } = await task.wait()
      expect(
        'the result',
        { exitCode, signal, cause, oomKilled, successful },
        { exitCode: null, signal: 'SIGKILL', cause: 'oom', oomKilled: true, successful: false },
      )
    },
  },
  {
    name: 'cpuLimit: no more processor time than the quota',
    group: 'limits',
    run: async bench => {
      // Less than a busy host leaves it, or it would never come to its quota.
      const resources = { cpuLimit: 0.05, wallTimeMs: 1000 }
      await bench.needs(['cpuLimit'], resources)
      const task = bench.shell('while :; do :; done')
      await task.limit(resources)
      await task.start()
      const { usage, startedAt, exitedAt, limitsHit } = await task.wait()
      const cpu = (usage?.cpuUserMs ?? 0) + (usage?.cpuSystemMs ?? 0)
      const wall = (exitedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)
      expectThat(
        cpu > 0 && cpu < wall * 0.3,
        `${cpu} ms of processor time in ${wall} ms, under a quota of 0.05`,
      )
      expectThat((limitsHit.throttledMs ?? 0) > 0, `it was held back for ${limitsHit.throttledMs} ms`)
    },
  },
  {
    name: 'cpuset: it runs on the processors it was given',
    group: 'limits',
    run: async bench => {
      const resources = { cpuset: '0' }
      await bench.needs(['cpuset'], resources)
      const task = bench.shell('nproc; grep Cpus_allowed_list /proc/self/status')
      await task.limit(resources)
      await task.start()
      await task.wait()
      expect(`processors, of ${availableParallelism()}`, await written(task), '1\nCpus_allowed_list:\t0\n')
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
      const { exitCode, limitsHit } = await task.wait()
      const said = await written(task)
      expectThat(exitCode !== 0 && said === '', `twenty children could be forked (exit code ${exitCode})`)
      expectThat((limitsHit.pidsRefused ?? 0) > 0, 'it was refused by something else')
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
