import { strict as assert } from 'node:assert'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor, HoldfastError, WaitResult } from '../../src/index.ts'
import { readStart } from '../../src/spawn/records.ts'
import { adapters, type Section } from '../platform/contract/adapter.ts'
import { declare } from '../platform/contract.ts'
import { assertNoProcessLeft } from '../support/leftovers.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import type { Workbench } from '../support/workbench.ts'

const rounds = Number(process.env.HOLDFAST_CRASH_ROUNDS ?? (process.env.CI ? 16 : 8))
const inFlight = 16

const killed: Section = (check, { platform }) => {
  for (let round = 0; round < rounds; round++) {
    check(`the spawner, somewhere in ${inFlight} starts (${round + 1})`, async bench => {
      const first = bench.command('/bin/sleep', '1000')
      await first.start()
      const tasks = Array.from({ length: inFlight }, () =>
        bench.shell('echo >> $HOLDFAST_TASK_DIR/started; exit 7'),
      )
      const starts = Promise.allSettled(tasks.map(task => task.start()))
      await sleep(Math.random() * (platform === 'linux' ? 25 : 15))
      process.kill(spawnerOf(first), 'SIGKILL')
      for (const [index, start] of (await starts).entries())
        await judgeStart(tasks[index] as Executor, bench, start)
      assert.equal((await first.forceStop()).cause, 'forced')
      await sameForOthers(bench, tasks)
    })

    check(`shims, from the moment they are there (${round + 1})`, async bench => {
      const tasks = Array.from({ length: 8 }, () => bench.shell('sleep 1000 & sleep 1000 & wait'))
      const victims = tasks.filter(() => Math.random() < 0.7)
      const starts = Promise.allSettled(tasks.map(task => task.start()))
      const deadline = Math.random() * 40
      await Promise.all(
        victims.map(async task => process.kill(await shimOf(bench, task, deadline), 'SIGKILL')),
      )
      for (const [index, start] of (await starts).entries()) {
        const task = tasks[index] as Executor
        if (!victims.includes(task)) assert.equal(start.status, 'fulfilled')
        const { cause, evidence, exitCode, signal } = victims.includes(task)
          ? await task.wait()
          : await task.forceStop()
        const seen = `${cause} ${evidence} ${exitCode} ${signal}`
        // One that was killed while it set the task up has told nobody that it ran.
        const possible = ['lost inferred null null', 'startFailed inferred null null']
        assert.ok(
          victims.includes(task) ? possible.includes(seen) : seen === 'forced record null SIGKILL',
          seen,
        )
        assert.equal(start.status, cause === 'startFailed' ? 'rejected' : 'fulfilled')
        await assertNoProcessLeft(task)
      }
      await sameForOthers(bench, tasks)
    })
  }
}

async function judgeStart(
  task: Executor,
  bench: Workbench,
  start: PromiseSettledResult<void>,
): Promise<void> {
  const { cause, exitCode, evidence } = await task.wait()
  const times = startsOf(bench, task)
  if (start.status === 'fulfilled') {
    assert.deepEqual([cause, exitCode, evidence, times], ['exited', 7, 'record', 1])
  } else {
    assert.deepEqual([cause, times], ['startFailed', 0])
    assert.equal((start.reason as HoldfastError).code, 'START_FAILED')
  }
}

/** Whoever opens them later comes to the same conclusions. */
async function sameForOthers(bench: Workbench, tasks: readonly Executor[]): Promise<void> {
  await bench.supervisor.close()
  const next = bench.another()
  assert.deepEqual((await next.openAll()).quarantined, [])
  for (const task of tasks) {
    const key = keyOf(task)
    const here = await ended(task)
    assert.deepEqual(await next.tasks.get(key)?.wait(), here)
  }
}

/** A task that has ended answers also when its supervisor is closed. */
function ended(task: Executor): Promise<WaitResult> {
  return task.wait()
}

function startsOf(bench: Workbench, task: Executor): number {
  const file = join(bench.stateDir, 'allocs', keyOf(task), 'sh', 'local', 'started')
  return existsSync(file) ? readFileSync(file, 'utf8').length : 0
}

function spawnerOf(task: Executor): number {
  const { spec } = JSON.parse(readFileSync(join(directoryOf(task), 'task.json'), 'utf8')) as {
    spec: { launchers: { pid: number }[] }
  }
  const pid = spec.launchers[1]?.pid ?? 0
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /\0spawner\0$/)
  return pid
}

/** Its pid once its start record is there, and some time after. */
async function shimOf(bench: Workbench, task: Executor, afterMs: number): Promise<number> {
  const directory = join(bench.stateDir, 'tasks', (task as unknown as { key: string }).key)
  for (;;) {
    const start = readStart(directory)
    if (start !== null && 'shim' in start) {
      await sleep(afterMs * Math.random())
      return start.shim.pid
    }
    await sleep(0)
  }
}

for (const adapter of adapters.filter(({ native }) => native))
  declare(`what a ${adapter.title} task comes to when somebody kills`, adapter, { killed })
