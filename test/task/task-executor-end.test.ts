import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldfastError } from '../../src/index.ts'
import type { TaskExecutor } from '../../src/task/task-executor.ts'
import { FakeRuntime } from '../support/fake-runtime.ts'
import { settle } from '../support/fake-clock.ts'
import { refuses } from '../support/refuses.ts'

/** What is thrown at once is refused as well. */
const refused = (code: HoldfastError['code'], work: () => Promise<unknown>): Promise<HoldfastError> =>
  refuses((async () => work())(), { code })

describe('an executor, to the end and beyond its supervisor, without a process', () => {
  let bench: FakeRuntime
  beforeEach(() => (bench = new FakeRuntime()))
  afterEach(() => bench.dispose())

  const dirOf = (task: TaskExecutor) => bench.runtime.state.taskDirectory(task.key)
  const told = () => bench.spawner.shim.told()

  describe('of a task that is destroyed', () => {
    it('is killed first, and leaves nothing; all who ask wait for the same', async () => {
      const task = await bench.started()
      const dir = dirOf(task)
      const gone = [task.destroy(), task.destroy()]
      await settle()
      assert.ok(told().includes('kill'))
      bench.spawner.end({ signal: 9, exitCode: null })
      await Promise.all(gone)
      assert.equal(existsSync(dir), false)
      assert.equal(existsSync(bench.runtime.state.allocDirectory(task.key)), false)
      assert.equal(bench.heard.at(-1), 'destroyed')
      assert.equal(bench.heard.filter(line => line === 'destroyed').length, 1)
    })

    it('says so to those who call it afterwards, and takes a second destroy()', async () => {
      const task = await bench.started()
      bench.spawner.end()
      await task.wait()
      await task.destroy()
      await task.destroy()
      await refused('INVALID_STATE', () => task.signal('SIGHUP'))
    })

    it('can be tried again where the first try failed', async () => {
      const task = await bench.started()
      bench.spawner.end()
      await task.wait()
      const remove = bench.runtime.state.remove.bind(bench.runtime.state)
      bench.runtime.state.remove = () => {
        throw new Error('busy')
      }
      await assert.rejects(task.destroy(), /busy/)
      bench.runtime.state.remove = remove
      await task.destroy()
      assert.equal(existsSync(dirOf(task)), false)
    })
  })

  describe('of a task that another supervisor has started', () => {
    it('is taken over by its id, where it is, and ends for both', async () => {
      const task = await bench.started()
      task.held.detach()
      const other = bench.another()
      const taken = other.executor()
      await taken.open(task.id())
      assert.deepEqual([taken.state, taken.key, taken.held.takenOver], ['running', task.key, true])
      bench.spawner.end({ exitCode: 4 })
      assert.equal((await taken.wait()).exitCode, 4)
    })

    it('that has ended meanwhile is read, and no actor is needed for it', async () => {
      const task = await bench.started()
      bench.spawner.end({ exitCode: 4 })
      await task.wait()
      task.held.flush()
      task.held.detach()
      const other = bench.another()
      const taken = other.executor()
      await taken.open(task.id())
      assert.deepEqual([taken.state, taken.outcome?.exitCode], ['exited', 4])
      assert.equal(other.heard.filter(line => line === 'exited').length, 1)
    })

    it('is one task with two faces where the supervisor holds it already', async () => {
      const task = await bench.started()
      const second = bench.executor()
      await second.open(task.id())
      assert.equal(second.key, task.key)
      bench.spawner.end({ exitCode: 2 })
      assert.deepEqual(await second.wait(), await task.wait())
      assert.equal(bench.outcomes.length, 1)
    })

    it('is refused by an id of another state directory, of no task, or that is none', async () => {
      const task = await bench.started()
      const elsewhere = new FakeRuntime()
      await refused('INVALID_ARGUMENT', () => elsewhere.executor().open(task.id()))
      const key = task.key
      bench.spawner.end()
      await task.destroy()
      await refused('NOT_FOUND', () => bench.executor().reopen(key))
      await refused('INVALID_ARGUMENT', () => bench.executor().open('nonsense'))
      await elsewhere.dispose()
    })

    it('is refused where its record is no record, and stays as it is', async () => {
      const task = await bench.started()
      task.held.detach()
      writeFileSync(join(dirOf(task), 'task.json'), '{')
      await refused('STATE_CORRUPT', () => bench.another().executor().reopen(task.key))
      assert.equal(readFileSync(join(dirOf(task), 'task.json'), 'utf8'), '{')
    })
  })
})
