import { strict as assert } from 'node:assert'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { firstValueFrom, take, toArray } from 'rxjs'
import { type HoldfastError, Supervisor, type TaskResult } from '../../src/index.ts'
import type { TaskExecutor } from '../../src/task/task-executor.ts'
import { untilNoneLeft } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { fill, withFilesystem } from '../support/small-filesystem.ts'

const rounds = Number(process.env.HOLDFAST_CRASH_ROUNDS ?? (process.env.CI ? 20 : 4))
const atOnce = 12

describe('a state directory whose disk fills up', () => {
  before(function () {
    requires(this, 'linux', 'native', 'root')
  })

  for (const platform of ['basic', 'linux'] as const) {
    for (let round = 0; round < rounds; round++) {
      it(`while ${platform} tasks start and end: none is invented, none that ran is lost (${round + 1})`, () =>
        withFilesystem('size=2m', stateDir => fillUp(stateDir, platform)))
    }
  }
})

async function fillUp(stateDir: string, platform: 'basic' | 'linux'): Promise<void> {
  const supervisor = new Supervisor({ stateDir })
  const tasks = Array.from({ length: atOnce * 3 }, (_, index) => taskOf(supervisor, platform, index))
  // Some that run already, some on their way, some that come too late.
  await Promise.all(tasks.slice(0, atOnce).map(task => task.start()))
  const starts = Promise.allSettled(tasks.slice(atOnce, 2 * atOnce).map(task => task.start()))
  await sleep(Math.random() * 10)
  const ballast = fill(stateDir)
  const late = Promise.allSettled(tasks.slice(2 * atOnce).map(task => task.start()))
  const answers = [...(await starts), ...(await late)]
  await judge(tasks.slice(atOnce), answers)
  await judge(tasks.slice(0, atOnce), [])

  const told = tasks.filter(task => task.outcome !== null)
  const results = await firstValueFrom(supervisor.results$.pipe(take(told.length), toArray()))
  await supervisor.close()
  rmSync(ballast)
  await sameForOthers(stateDir, told, results)
}

function taskOf(supervisor: Supervisor, platform: 'basic' | 'linux', index: number): TaskExecutor {
  const task = supervisor.executor(platform)
  // Every third is stopped, the others end by themselves when the disk is full.
  const script =
    index % 3 === 0 ? 'trap "exit 9" TERM; while :; do sleep 0.02; done' : `sleep 0.2; exit ${index}`
  Object.assign(task.command, { path: '/bin/sh', args: ['-c', script] })
  task.named(`task-${index}`)
  return task
}

async function judge(
  tasks: readonly TaskExecutor[],
  answers: readonly PromiseSettledResult<void>[],
): Promise<void> {
  for (const [index, task] of tasks.entries()) {
    const answer = answers[index]
    if (answer?.status === 'rejected') {
      assert.equal((answer.reason as HoldfastError).code, 'START_FAILED')
      // Where not even the intent could be written, there is a task in this process only.
      if (task.outcome !== null) assert.equal(task.outcome.cause, 'startFailed')
      continue
    }
    const number = Number(task.name.slice('task-'.length))
    const { cause, exitCode, signal, evidence } = await (number % 3 === 0
      ? task.shutdown({ graceMs: 60_000 })
      : task.wait())
    const seen = `${cause} ${exitCode} ${signal} ${evidence}`
    // SIGTERM may come before the trap is set.
    const possible = ['shutdown 9 null record', 'shutdown null SIGTERM record']
    if (number % 3 === 0) assert.ok(possible.includes(seen), seen)
    else assert.equal(seen, `exited ${number} null record`)
  }
}

async function sameForOthers(
  stateDir: string,
  tasks: readonly TaskExecutor[],
  results: readonly TaskResult[],
): Promise<void> {
  const next = new Supervisor({ stateDir })
  const { quarantined, resumed } = await next.openAll()
  assert.deepEqual([quarantined, resumed], [[], []])
  for (const { key, outcome } of tasks) {
    const here = results.find(({ task }) => task.key === key)
    const there = await next.tasks.get(key)?.wait()
    if (outcome?.evidence === 'inferred') {
      // A failed start of which nothing could be written down: it has left nothing, or the intent and the
      // shim's first traces.
      assert.equal(outcome.cause, 'startFailed')
      assert.ok([undefined, 'startFailed', 'lost'].includes(there?.cause), there?.cause)
    } else
      assert.deepEqual(
        [there?.cause, there?.exitCode, there?.signal],
        [here?.cause, here?.exitCode, here?.signal],
      )
  }
  await Promise.all([...next.tasks.values()].map(task => task.destroy()))
  await next.close()
  await untilNoneLeft(tasks.map(({ key }) => key))
}
