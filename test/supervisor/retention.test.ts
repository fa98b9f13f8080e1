import { strict as assert } from 'node:assert'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { type Executor, setCommand, Supervisor, type SupervisorOptions } from '../../src/index.ts'
import { endedBeyond, removeTasks, tasksBeyond } from '../../src/supervisor/retention.ts'
import type { TaskExecutor } from '../../src/task/task-executor.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const destroy = async (): Promise<void> => {}
const ended = (key: string, endedAt: number) => ({ key, endedAt, destroy })
const keys = (tasks: readonly { key: string }[]): string[] => tasks.map(({ key }) => key)

describe('which ended tasks are removed', () => {
  it('by count: all but the newest by their end, not by their start', () => {
    const tasks = [ended('a', 300), ended('b', 100), ended('c', 200)]
    assert.deepEqual(keys(tasksBeyond(tasks, { count: 1 }, 1000)), ['b', 'c'])
    assert.deepEqual(keys(tasksBeyond(tasks, { count: 0 }, 1000)), ['b', 'c', 'a'])
    assert.deepEqual(keys(tasksBeyond(tasks, { count: 3 }, 1000)), [])
  })

  it('by age: those that ended longer ago', () => {
    const tasks = [ended('a', 900), ended('b', 300), ended('c', 400)]
    assert.deepEqual(keys(tasksBeyond(tasks, { ageMs: 500 }, 1000)), ['b', 'c'])
    assert.deepEqual(keys(tasksBeyond(tasks, { ageMs: 600 }, 1000)), ['b'])
  })

  it('one whose end nobody knows ended when it was made: it goes neither before older ones nor after newer', () => {
    const held = (madeAt: number, exitedAt: number | null) => {
      const key = newTaskKey(madeAt)
      return [key, { key, outcome: { exitedAt } } as TaskExecutor] as const
    }
    const [first, lost, running, last] = [held(100, 200), held(300, null), held(350, 0), held(400, 500)]
    const tasks = new Map([
      last,
      [running[0], { key: running[0], outcome: null } as TaskExecutor],
      lost,
      first,
    ])
    assert.deepEqual(keys(endedBeyond(tasks, {})), [first[0], lost[0], last[0]])
    assert.deepEqual(keys(endedBeyond(tasks, { count: 2 })), [first[0]])
  })

  it('by both: what either bound excludes; by none: all of them', () => {
    const tasks = [ended('a', 900), ended('b', 800), ended('c', 100)]
    assert.deepEqual(keys(tasksBeyond(tasks, { count: 1, ageMs: 500 }, 1000)), ['c', 'b'])
    assert.deepEqual(keys(tasksBeyond(tasks, {}, 1000)), ['c', 'b', 'a'])
  })

  it('never one that ended later than one that stays', () => {
    const bound = fc.option(fc.nat(20), { nil: undefined })
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 20 }), bound, bound, (ends, count, ageMs) => {
        const tasks = ends.map((at, index) => ended(`k${String(index).padStart(2, '0')}`, at))
        const bounds = { ...(count !== undefined && { count }), ...(ageMs !== undefined && { ageMs }) }
        const gone = new Set(keys(tasksBeyond(tasks, bounds, 50)))
        const stay = tasks.filter(({ key }) => !gone.has(key))
        for (const { endedAt } of stay)
          for (const task of tasks) if (gone.has(task.key)) assert.ok(task.endedAt <= endedAt)
        if (count !== undefined) assert.ok(stay.length <= count)
      }),
    )
  })

  it('one that cannot be removed stops no other, and is named', async () => {
    const removed: string[] = []
    const tasks = ['a', 'b', 'c'].map(key => ({
      key,
      endedAt: 0,
      destroy: async () => {
        if (key === 'b') throw new Error('busy')
        removed.push(key)
      },
    }))
    await assert.rejects(removeTasks(tasks), {
      message: /1 of 3 ended tasks could not be removed: b \(busy\)/,
    })
    assert.deepEqual(removed, ['a', 'c'])
  })

  it('others have their turn while many are removed, however long one takes', async () => {
    let sinceTurn = 0
    let longest = 0
    const turns = setInterval(() => (sinceTurn = 0))
    const long = async (): Promise<void> => {
      longest = Math.max(longest, ++sinceTurn)
      for (const began = performance.now(); performance.now() - began < 9;);
    }
    const tasks = Array.from({ length: 12 }, (_, index) => ({ key: `k${index}`, endedAt: 0, destroy: long }))
    assert.deepEqual(await removeTasks(tasks), keys(tasks))
    clearInterval(turns)
    assert.ok(longest <= 4, `${longest} without a turn`)
  })
})

describe('retention of a supervisor', () => {
  let stateDir: string
  const open: Supervisor[] = []
  const make = (options: SupervisorOptions = {}): Supervisor => {
    const supervisor = new Supervisor({ stateDir, durability: 'process', ...options })
    open.push(supervisor)
    return supervisor
  }
  const start = async (supervisor: Supervisor, path = '/bin/true', ...args: string[]): Promise<Executor> => {
    const task = supervisor.executor('basic')
    setCommand(task, path, args)
    await task.start()
    return task
  }
  const recorded = (): string[] => readdirSync(join(stateDir, 'tasks')).sort()
  const until = async (reached: () => boolean, what: string): Promise<void> => {
    for (const begin = Date.now(); !reached(); await sleep(20))
      assert.ok(Date.now() < begin + 30_000, `never: ${what}`)
  }

  beforeEach(() => {
    stateDir = temporaryDirectory('retention')
  })
  afterEach(async () => {
    for (const supervisor of open.splice(0)) {
      for (const task of supervisor.tasks.values()) await task.destroy()
      await supervisor.close()
    }
    removeTemporary(stateDir)
  })

  it('nothing is removed unless it is asked for', async () => {
    const supervisor = make()
    for (let index = 0; index < 3; index++) await (await start(supervisor)).wait()
    await supervisor.openAll()
    await sleep(100)
    assert.equal(recorded().length, 3)
  })

  it('keep.count holds when tasks end: running ones stay, results are told and can still be waited for', async () => {
    const supervisor = make({ keep: { count: 2 } })
    const results: string[] = []
    supervisor.results$.subscribe(({ task }) => results.push(task.key))
    const sleeper = await start(supervisor, '/bin/sleep', '600')
    const tasks: Executor[] = []
    for (let index = 0; index < 6; index++) {
      const task = await start(supervisor)
      await task.wait()
      tasks.push(task)
    }
    const wanted = [sleeper, ...tasks.slice(-2)].map(({ key }) => key).sort()
    await until(() => recorded().join() === wanted.join(), 'three records')
    assert.deepEqual(
      results,
      tasks.map(({ key }) => key),
    )
    for (const task of tasks) assert.equal((await task.wait()).exitCode, 0)
    assert.equal(readdirSync(join(stateDir, 'allocs')).length, 3)
  })

  it('a crash loop of starts that fail piles up no records, and the last of them is the one that is kept', async () => {
    const supervisor = make({ keep: { count: 1 } })
    await (await start(supervisor)).wait()
    const failing = async (cwd: string): Promise<string> => {
      const task = supervisor.executor('basic')
      setCommand(task, '/nonexistent/program', [])
      task.command.cwd = cwd
      await assert.rejects(task.start(), { code: 'START_FAILED' })
      return task.key
    }
    let last = ''
    for (let index = 0; index < 8; index++) last = await failing(index % 2 === 0 ? '/' : '/nonexistent')
    await until(() => recorded().join() === last, 'one record')
    assert.equal(readdirSync(join(stateDir, 'allocs')).length, 1)
    assert.deepEqual([...supervisor.tasks.keys()], [last])
  })

  it('holds when a supervisor opens what others have left', async () => {
    const first = make()
    const tasks: Executor[] = []
    for (let index = 0; index < 4; index++) {
      const task = await start(first)
      await task.wait()
      tasks.push(task)
    }
    await first.close()
    const second = make({ keep: { count: 1 } })
    assert.equal((await second.openAll()).exited.length, 4)
    await until(() => recorded().length === 1, 'one record')
    assert.deepEqual(recorded(), [tasks[3]?.key])
    assert.deepEqual([...second.tasks.keys()], [tasks[3]?.key])
  })

  it('close() waits for the removal that is under way', async () => {
    const supervisor = make({ keep: { count: 0 } })
    for (let index = 0; index < 5; index++) await (await start(supervisor)).wait()
    await supervisor.close()
    assert.deepEqual(recorded(), [])
    assert.deepEqual(readdirSync(join(stateDir, 'allocs')), [])
  })

  it('prune() removes ended tasks of the whole state directory and says which; with dryRun it only says', async () => {
    const other = make()
    const sleeper = await start(other, '/bin/sleep', '600')
    const tasks: Executor[] = []
    for (let index = 0; index < 3; index++) {
      const task = await start(other)
      await task.wait()
      tasks.push(task)
    }
    const [oldest, middle, newest] = tasks.map(({ key }) => key)
    const supervisor = make()
    assert.deepEqual(await supervisor.prune({ ageMs: 3_600_000 }), [])
    assert.deepEqual(await supervisor.prune({ count: 1, dryRun: true }), [oldest, middle])
    assert.equal(recorded().length, 4)
    assert.deepEqual(await supervisor.prune({ count: 1 }), [oldest, middle])
    assert.deepEqual(await supervisor.prune(), [newest])
    assert.deepEqual(recorded(), [sleeper.key])
    assert.ok(!existsSync(join(stateDir, 'allocs', oldest ?? '')))
    assert.equal(sleeper.state, 'running')
  })

  for (const [name, keep] of Object.entries({
    'a negative count': { count: -1 },
    'half a task': { count: 1.5 },
    'an age that is no number': { ageMs: Number.NaN },
    'a field of another name': { days: 3 },
    'a number': 3,
  }))
    it(`refuses ${name}, by the name of the option`, async () => {
      assert.throws(() => make({ keep: keep as never }), {
        code: 'INVALID_ARGUMENT',
        message: /^supervisor option keep: got .*, takes an object with count/,
      })
      await assert.rejects(make().prune(keep as never), {
        code: 'INVALID_ARGUMENT',
        message: /^prune: options/,
      })
    })
})
