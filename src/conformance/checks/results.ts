import { HoldfastError } from '../../index.ts'
import { written } from '../bench.ts'
import type { Check } from '../check.ts'
import { expect, expectThat, Skipped } from '../expect.ts'

export const results: readonly Check[] = [
  {
    name: 'exit codes are exact',
    group: 'results',
    run: async bench => {
      for (const code of [0, 1, 42, 137, 255]) {
        const task = bench.shell(`exit ${code}`)
        await task.start()
        const { exitCode, signal, cause, evidence } = await task.wait()
        expect(
          `exit ${code}`,
          { exitCode, signal, cause, evidence },
          { exitCode: code, signal: null, cause: 'exited', evidence: 'record' },
        )
      }
    },
  },
  {
    name: 'a death by a signal is no exit code',
    group: 'results',
    run: async bench => {
      const task = bench.shell('kill -KILL $$')
      await task.start()
      const { exitCode, signal, cause, coreDumped, oomKilled, successful } = await task.wait()
      expect(
        'kill -KILL',
        { exitCode, signal, cause, coreDumped, oomKilled, successful },
        {
          ...{ exitCode: null, signal: 'SIGKILL', cause: 'signaled' },
          ...{ coreDumped: false, oomKilled: false, successful: false },
        },
      )
    },
  },
  {
    name: 'a program that is not there is a failed start, with its reason',
    group: 'results',
    run: async bench => {
      const task = bench.shell('')
      task.command.path = '/no/such/program'
      const error: unknown = await task.start().then(
        () => null,
        (failure: unknown) => failure,
      )
      expectThat(error instanceof HoldfastError, 'it started')
      expect('the error', [error.code, error.errno], ['START_FAILED', 'ENOENT'])
    },
  },
  {
    name: 'the environment is what was asked for, and nothing of the supervisor',
    group: 'results',
    run: async bench => {
      const secret = 'HOLDFAST_CONFORMANCE_SECRET'
      process.env[secret] = 'must not be seen'
      try {
        const seen = await bench.output('env', { env: { GIVEN: 'yes' } })
        expectThat(/^GIVEN=yes$/m.test(seen), 'a variable is missing')
        expectThat(!seen.includes(secret), 'a variable of the supervisor is seen')
      } finally {
        delete process.env[secret]
      }
    },
  },
  {
    name: 'logs are whole, each stream on its own',
    group: 'results',
    run: async bench => {
      const task = bench.shell(
        'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i + 1)); done; echo complaint >&2',
      )
      await task.start()
      const { logsComplete } = await task.wait()
      const lines = (await written(task)).trim().split('\n')
      expect('standard output', [lines.length, lines.at(-1), logsComplete], [20_000, 'line 19999', true])
      expect('standard error', await written(task, 'stderr'), 'complaint\n')
    },
  },
  {
    name: 'what it used is measured, its children included',
    group: 'results',
    run: async bench => {
      const inChild = 'head -c 12000000 /dev/zero | tail -c 12000000 | wc -c'
      const task = bench.shell(`i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done; ${inChild}`)
      await task.start()
      const { usage } = await task.wait()
      if (usage === null && !bench.adapter.native) throw new Skipped('the portable shim measures nothing')
      expectThat(
        usage !== null && usage.cpuUserMs + usage.cpuSystemMs > 5 && usage.maxRssBytes > 10_000_000,
        `${JSON.stringify(usage)} is too little`,
      )
    },
  },
]
