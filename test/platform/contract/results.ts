import { strict as assert } from 'node:assert'
import { outputOf } from '../../support/output.ts'
import type { Section } from './adapter.ts'

export const results: Section = (check, { native, platform }) => {
  // A portable shim costs a Node process; the ends of the range and the codes that shells give a meaning are
  // enough there.
  const codes = native ? Array.from({ length: 256 }, (_, code) => code) : [0, 1, 126, 127, 128, 255]

  check(`reports exit codes as they are (${codes.length} of 256)`, async bench => {
    const seen: (number | null)[] = []
    for (let first = 0; first < codes.length; first += 16) {
      const tasks = codes.slice(first, first + 16).map(code => bench.shell(`exit ${code}`))
      await Promise.all(tasks.map(task => task.start()))
      const ends = await Promise.all(tasks.map(task => task.wait()))
      for (const { exitCode, signal, cause, successful } of ends) {
        seen.push(exitCode)
        assert.deepEqual(
          { signal, cause, successful },
          { signal: null, cause: 'exited', successful: exitCode === 0 },
        )
      }
    }
    assert.deepEqual(seen, codes)
  })

  check(
    'tells every caller of wait() the same, before and after the end, in results of their own',
    async bench => {
      const task = bench.shell('exit 7')
      await task.start()
      const early = Array.from({ length: 20 }, () => task.wait())
      const [first, ...others] = await Promise.all(early)
      assert.ok(first)
      assert.equal(first.exitCode, 7)
      for (const other of [...others, await task.wait()]) assert.deepEqual(other, first)
      first.exitCode = 99
      assert.equal((await task.wait()).exitCode, 7)
    },
  )

  check('tells when it began and ended, how it is known, and that the logs are whole', async bench => {
    const before = Date.now()
    const task = bench.shell('exit 0')
    await task.start()
    const { startedAt, exitedAt, evidence, logsComplete, error } = await task.wait()
    assert.ok(startedAt && exitedAt)
    assert.ok(before <= startedAt.getTime() && startedAt <= exitedAt && exitedAt.getTime() <= Date.now())
    assert.deepEqual(
      { evidence, logsComplete, error },
      { evidence: 'record', logsComplete: true, error: null },
    )
  })

  const signals = native ? (['SIGTERM', 'SIGSEGV', 'SIGHUP', 'SIGUSR1'] as const) : (['SIGHUP'] as const)
  for (const signal of signals) {
    check(`reports a death by ${signal} as a signal, with no exit code`, ['signals'], async bench => {
      const task = bench.shell(`ulimit -c 0; kill -s ${signal.slice(3)} $$; sleep 1000`)
      await task.start()
      const { exitCode, signal: seen, cause, coreDumped, oomKilled, successful } = await task.wait()
      assert.deepEqual(
        { exitCode, signal: seen, cause, coreDumped, oomKilled, successful },
        { exitCode: null, signal, cause: 'signaled', coreDumped: false, oomKilled: false, successful: false },
      )
    })
  }

  if (!native) {
    check('says that it does not know what the task used, rather than 0', async bench => {
      const task = bench.shell('exit 0')
      await task.start()
      assert.equal((await task.wait()).usage, null)
    })
    return
  }

  check('reports a core dump', async bench => {
    const task = bench.shell('ulimit -c "$(ulimit -H -c)" && ulimit -c && kill -s SEGV $$')
    // A place where the core file may be written.
    task.command.cwd = platform === 'linux' ? '/tmp' : bench.directory('core')
    const said = await outputOf(task)
    const { signal, coreDumped } = await task.wait()
    assert.deepEqual({ signal, coreDumped }, { signal: 'SIGSEGV', coreDumped: said.trim() !== '0' })
  })
}
