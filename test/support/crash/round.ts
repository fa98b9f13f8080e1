import { strict as assert } from 'node:assert'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstValueFrom, take, toArray } from 'rxjs'
import { Supervisor } from '../../../src/index.ts'
import { isRemains } from '../../../src/task/task-directory.ts'
import type { TaskExecutor } from '../../../src/task/task-executor.ts'
import { untilNoneLeft } from '../leftovers.ts'
import { type Entry, Journal, readJournal } from './journal.ts'
import { kinds } from './kinds.ts'
import { type Death, live } from './life.ts'
import { judge, judgeGone } from './verdict.ts'

/**
 * One round: a supervisor that is killed, perhaps a second one that takes over and is killed too, and one
 * that brings all to its end.
 */
export type Round = {
  readonly title: string
  readonly platform: 'basic' | 'linux'
  readonly deaths: readonly Death[]
}

/** Throws what did not hold; the state directory is kept then, and named. */
export async function play({ title, platform, deaths }: Round): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-crash-'))
  chmodSync(place, 0o711)
  const stateDir = join(place, 'state')
  try {
    const journals = deaths.map((_, index) => join(place, `journal-${index}`))
    for (const [index, death] of deaths.entries()) {
      const journal = journals[index] ?? ''
      await live({ mode: index === 0 ? 'begin' : 'resume', platform, stateDir, journal, death })
    }
    await conclude(stateDir, journals, join(place, 'journal-last'))
  } catch (error) {
    const what = JSON.stringify({ title, platform, deaths })
    throw new Error(`${(error as Error).message}\n  in ${what}\n  kept: ${place}`, { cause: error })
  }
  rmSync(place, { recursive: true })
}

async function conclude(stateDir: string, journals: readonly string[], path: string): Promise<void> {
  const supervisor = new Supervisor({ stateDir, durability: 'process' })
  new Journal(path).listen(supervisor)
  const { quarantined } = await supervisor.openAll()
  assert.deepEqual(quarantined, [], 'quarantined')
  const tasks = [...supervisor.tasks.values()] as TaskExecutor[]
  const results = firstValueFrom(supervisor.results$.pipe(take(tasks.length), toArray()), {
    defaultValue: [],
  })
  await Promise.all(tasks.map(finish))
  await results
  const lives = [...journals, path].map(readJournal)
  const keys = new Set(lives.flat().map(({ key }) => key))
  await untilNoneLeft([...keys])
  for (const task of tasks) task.held.flush()
  for (const { key, name } of tasks) judge(stateDir, key, name, lives)
  judgeRest(
    [...keys].filter(key => !supervisor.tasks.has(key)),
    lives,
  )
  await Promise.all(tasks.map(task => task.destroy()))
  await supervisor.close()
  // What is left of a task that was never started, or was being removed, nobody takes for a task.
  for (const key of names(join(stateDir, 'tasks'))) {
    const left = names(join(stateDir, 'tasks', key))
    assert.ok(isRemains(left), `${key}: ${left.join(', ')}`)
  }
}

/**
 * A task must not vanish: one that is not there any more was removed on purpose, or was never written down.
 */
function judgeRest(keys: readonly string[], lives: readonly (readonly Entry[])[]): void {
  for (const key of keys) {
    judgeGone(key, lives)
    const told = lives.flat().filter(entry => entry.key === key)
    const beyondIntent = told.some(entry => entry.what === 'transition' && entry.sequence > 1)
    assert.ok(!beyondIntent || kinds[told[0]?.name ?? '']?.destroyed, `task ${key} has vanished`)
  }
}

/**
 * As its last supervisor is to: what is being stopped is waited for, and stopped is only what nobody else
 * has.
 */
async function finish(task: TaskExecutor): Promise<void> {
  const kind = kinds[task.name]
  assert.ok(kind, `no kind ${task.name}`)
  if (kind.stopped !== 'never' && task.state === 'running') await task.shutdown({ graceMs: kind.graceMs })
  else await task.wait()
}

function names(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
