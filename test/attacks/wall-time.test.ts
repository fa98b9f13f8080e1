import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StartRecord } from '../../machines/index.ts'
import type { Executor, Supervisor, WaitResult } from '../../src/index.ts'
import { detectCgroups } from '../../src/platform/linux/cgroup-mode.ts'
import { isAlive } from '../../src/spawn/process-table.ts'
import { readStart } from '../../src/spawn/records.ts'
import { parseTaskId } from '../../src/task/task-id.ts'
import { eventually } from '../support/eventually.ts'
import { untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'
import { newMark, wearing } from './hostile.ts'

const shutdown = { graceMs: 200 }
/** What a stopped shim may add to limit and grace, on a slow machine. */
const boundMs = 12_000

describe('attack: a shim is kept from keeping the wall time limit', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const) {
    it(`one that is stopped is continued at the limit, and says how it went (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const { task, start, mark, wallTimeMs } = await limited(bench, 1500)
        process.kill(start.shim.pid, 'SIGSTOP')
        const { cause, evidence, signal } = await soon(task.wait(), wallTimeMs + boundMs)
        assert.deepEqual(
          { cause, evidence, signal },
          { cause: 'timeout', evidence: 'record', signal: 'SIGKILL' },
        )
        await gone(start, mark)
      }))

    it(`one that is stopped again whenever it is continued is passed over: timeout, inferred (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const { task, start, mark, wallTimeMs } = await limited(bench, 1500)
        const stopping = setInterval(() => isAlive(start.shim) && process.kill(start.shim.pid, 'SIGSTOP'), 1)
        try {
          const { cause, evidence, exitCode, signal, error } = await soon(task.wait(), wallTimeMs + boundMs)
          // The shim may have had its moment.
          assert.equal(cause, 'timeout')
          if (evidence === 'inferred') assert.deepEqual([exitCode, signal, error], [null, null, null])
        } finally {
          clearInterval(stopping)
        }
        await gone(start, mark)
      }))
  }

  it('a supervisor that has taken the task over keeps its limit too', () =>
    withWorkbench('linux', async bench => {
      const { task, start, mark, wallTimeMs } = await limited(bench, 1500)
      const id = task.id()
      await bench.supervisor.close()
      process.kill(start.shim.pid, 'SIGSTOP')
      const taken = await bench.another({ shutdown }).open(id)
      assert.equal((await soon(taken.wait(), wallTimeMs + boundMs)).cause, 'timeout')
      await gone(start, mark)
    }))

  it('a supervisor that has taken over a task without a limit keeps the one that it gives it', () =>
    withWorkbench('linux', async bench => {
      const began = performance.now()
      const { task, start, mark } = await started(bench, null, bench.another({ shutdown }))
      const id = task.id()
      await bench.supervisor.close()
      const taken = await bench.another({ shutdown }).open(id)
      // From its start, and not before its shim is stopped.
      await taken.update({ wallTimeMs: Math.ceil(performance.now() - began) + 3000 })
      process.kill(start.shim.pid, 'SIGSTOP')
      // Nobody waits for it: that would have it watched.
      await eventually(() => assert.equal(taken.state, 'exited'), boundMs)
      assert.equal((await taken.wait()).cause, 'timeout')
      await gone(start, mark)
    }))

  it('a limit that was set while it ran is kept, and one that was lifted is not', () =>
    withWorkbench('linux', async bench => {
      const second = await limited(bench, 2500)
      await second.task.update({ wallTimeMs: 600_000 })
      const began = performance.now()
      const first = await limited(bench, 600_000)
      // From its start, and not before its shim is stopped.
      await first.task.update({ wallTimeMs: Math.ceil(performance.now() - began) + 3000 })
      for (const { start } of [first, second]) process.kill(start.shim.pid, 'SIGSTOP')
      assert.equal((await soon(first.task.wait())).cause, 'timeout')
      await sleep(second.wallTimeMs + 1000)
      assert.equal(second.task.state, 'running')
      assert.equal((await second.task.forceStop()).cause, 'forced')
    }))

  it('control: while nobody holds the task, a stopped shim lets it run past its limit', () =>
    withWorkbench('linux', async bench => {
      const { start, mark, wallTimeMs } = await limited(bench, 1500)
      await bench.supervisor.close()
      process.kill(start.shim.pid, 'SIGSTOP')
      await sleep(wallTimeMs + 2500)
      assert.equal(wearing(mark).length, 1)
    }))

  describe('whose cgroup is frozen', () => {
    let cage = ''

    before(function () {
      requires(this, 'root', 'cgroup-v1')
      const freezer = detectCgroups().v1.get('freezer')
      if (freezer === undefined) {
        process.stderr.write('SKIPPED: needs the freezer of cgroup v1 (mount -t cgroup -o freezer)\n')
        return this.skip()
      }
      cage = join(freezer, `holdfast-test-wall-${process.pid}`)
      mkdirSync(cage)
    })
    after(() => {
      if (existsSync(cage)) rmdirSync(cage)
    })

    for (const [what, cause, end] of [
      ['at its limit', 'timeout', (task: Executor) => task.wait()],
      ['by force', 'forced', (task: Executor) => task.forceStop()],
    ] as const)
      it(`the task ends ${what} though its shim cannot even die`, function () {
        this.timeout(180_000)
        return withWorkbench('linux', async bench => {
          const { task, start, mark, wallTimeMs } = await limited(bench, cause === 'timeout' ? 1500 : 600_000)
          writeFileSync(join(cage, 'cgroup.procs'), String(start.shim.pid))
          writeFileSync(join(cage, 'freezer.state'), 'FROZEN')
          try {
            const result = await soon(end(task), (cause === 'timeout' ? wallTimeMs : 0) + 30_000)
            assert.deepEqual([result.cause, result.evidence, result.error], [cause, 'inferred', null])
            assert.deepEqual(wearing(mark), [])
            assert.ok(isAlive(start.shim), 'it is still frozen')
          } finally {
            writeFileSync(join(cage, 'freezer.state'), 'THAWED')
          }
          await gone(start, mark)
        })
      })
  })
})

type Limited = {
  readonly task: Executor
  readonly start: StartRecord
  readonly mark: string
  readonly wallTimeMs: number
}

/**
 * It ignores SIGTERM, and has most of its time before it: where this host is too slow for that, as much again
 * as was asked for.
 */
async function limited(
  bench: Workbench,
  wallTimeMs: number,
  supervisor = bench.another({ shutdown }),
): Promise<Limited> {
  const began = performance.now()
  const found = await started(bench, wallTimeMs, supervisor).catch((error: unknown) => {
    if (wallTimeMs > 600_000) throw error
    return null
  })
  if (found !== null && performance.now() - began < wallTimeMs / 2) return found
  await found?.task.destroy()
  return limited(bench, 2 * wallTimeMs, supervisor)
}

async function started<Wall extends number | null>(
  bench: Workbench,
  wallTimeMs: Wall,
  supervisor: Supervisor,
): Promise<Omit<Limited, 'wallTimeMs'> & { readonly wallTimeMs: Wall }> {
  const mark = newMark()
  const script = `trap '' TERM; cp /bin/sleep ./${mark}; echo ready; exec ./${mark} 600`
  const task = bench.commandOf(supervisor, '/bin/sh', '-c', script)
  if (bench.platform === 'linux') task.command.cwd = '/tmp'
  if (wallTimeMs !== null) await task.limit({ wallTimeMs })
  await task.start()
  await untilOutput(task, 'ready')
  await eventually(() => assert.equal(wearing(mark).length, 1))
  const { key } = parseTaskId(task.id())
  const record = readStart(join(bench.stateDir, 'tasks', key))
  assert.ok(record !== null && !('corrupt' in record))
  return { task, mark, start: record, wallTimeMs }
}

async function soon(end: Promise<WaitResult>, withinMs = boundMs): Promise<WaitResult> {
  const late = sleep(withinMs, null, { ref: false }).then(() =>
    assert.fail(`no result within ${withinMs} ms`),
  )
  return Promise.race([end, late])
}

async function gone(start: StartRecord, mark: string): Promise<void> {
  await eventually(() => assert.deepEqual(wearing(mark), []))
  await eventually(() => assert.equal(isAlive(start.shim), false))
}
