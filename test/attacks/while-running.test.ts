import assert from 'node:assert/strict'
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { audit, type Executor } from '../../src/index.ts'
import type { StartRecord } from '../../machines/index.ts'
import { isAlive } from '../../src/spawn/process-table.ts'
import { readStart } from '../../src/spawn/records.ts'
import { parseTaskId } from '../../src/task/task-id.ts'
import { holdfast } from '../cli/program.ts'
import { eventually } from '../support/eventually.ts'
import { untilOutput } from '../support/output.ts'
import { plantedInstead } from '../support/planted.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'
import { newMark, wearing } from './hostile.ts'

/** What may be done to a file of a task's directory, or to the directory. */
const ways: Readonly<Record<string, (path: string) => unknown>> = {
  deleted: removed,
  ...Object.fromEntries(
    Object.entries(plantedInstead).map(([what, plant]) => [
      what,
      (path: string) => {
        removed(path)
        plant(path)
      },
    ]),
  ),
  'an empty file': path => {
    removed(path)
    writeFileSync(path, '')
  },
  'what nobody may read': path => {
    if (!path.endsWith('.json')) removed(path)
    writeFileSync(path, '{}')
    chmodSync(path, 0)
  },
}

const files = ['alive', 'control', 'start.json', 'exit.json', 'task.json', 'journal.ndjson']

/** Milliseconds, on a slow machine. */
const boundMs = 10_000

describe('attack: records and FIFOs are taken away while the task runs', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const file of files)
    for (const [what, spoil] of Object.entries(ways))
      it(`${file}, ${what}: who holds the task stops it, with its result or the reason why there is none`, () =>
        withWorkbench('linux', async bench => {
          const { task, dir, start, mark } = await started(bench)
          spoil(join(dir, file))
          assert.equal(task.state, 'running')
          const { cause, exitCode, error } = await soon(task.shutdown({ graceMs: 60_000 }))
          // A directory alone cannot be replaced by the shim's record.
          if (file === 'exit.json' && what === 'a directory')
            assert.deepEqual([cause, error?.message], ['lost', 'The exit record cannot be read.'])
          else assert.deepEqual([cause, exitCode], ['shutdown', 7])
          await soon(task.destroy())
          await gone(start, mark)
        }))

  for (const file of files)
    for (const [what, spoil] of Object.entries(ways))
      it(`${file}, ${what}: who comes later harms nothing by looking, and can remove it`, () =>
        withWorkbench('linux', async bench => {
          const { dir, start, mark, key } = await started(bench)
          await bench.supervisor.close()
          spoil(join(dir, file))
          const later = bench.another()
          const { exited, lost } = await soon(later.openAll())
          assert.deepEqual([exited, lost], [[], []], 'a task that runs has not ended')
          const { leftovers } = await soon(audit({ stateDir: bench.stateDir }))
          const named = leftovers.filter(({ path }) => path === dir).map(({ why }) => why)
          if (file === 'alive' || file === 'control')
            assert.match(named.join(), new RegExp(`lives, and its FIFO \`${file}\` is gone or another`))
          assert.deepEqual([isAlive(start.task), wearing(mark).length], [true, 1])
          await soon(later.discard(key))
          await gone(start, mark)
        }))

  for (const file of ['alive', 'exit.json'])
    it(`${file}, a directory: \`ps\` and \`rm --force\` do the same`, () =>
      withWorkbench('linux', async bench => {
        const { dir, start, mark, key } = await started(bench)
        await bench.supervisor.close()
        ways['a directory']?.(join(dir, file))
        const { stdout } = await holdfast(bench.stateDir, 'ps', '--json')
        assert.match(stdout, new RegExp(`${key}.*"running"`, 's'))
        assert.ok(isAlive(start.task))
        const { code } = await holdfast(bench.stateDir, 'rm', '--force', key)
        assert.equal(code, 0)
        await gone(start, mark)
      }))

  it('an end of the task is heard without the FIFO `alive`', () =>
    withWorkbench('linux', async bench => {
      const { task, dir, start } = await started(bench)
      await bench.supervisor.close()
      rmSync(join(dir, 'alive'))
      const later = await bench.another().open(task.id())
      const end = later.wait()
      process.kill(start.task.pid, 'SIGTERM')
      const { cause, exitCode, evidence } = await soon(end)
      assert.deepEqual([cause, exitCode, evidence], ['exited', 7, 'record'])
    }))

  it('a record of an end that is planted is no end, and the true one is told', () =>
    withWorkbench('linux', async bench => {
      const ended = await started(bench)
      await ended.task.shutdown()
      const { task, dir } = await started(bench)
      await bench.supervisor.close()
      renameSync(join(ended.dir, 'exit.json'), join(dir, 'exit.json'))
      const later = await bench.another().open(task.id())
      assert.equal(later.state, 'running')
      assert.equal((await soon(later.forceStop())).cause, 'forced')
    }))

  it('control: the record of a shim that is gone is believed', () =>
    withWorkbench('linux', async bench => {
      const { task } = await started(bench)
      await task.shutdown()
      await bench.supervisor.close()
      assert.deepEqual((await bench.another().openAll()).exited, [parseTaskId(task.id()).key])
    }))
})

type Running = {
  readonly task: Executor
  readonly key: string
  readonly dir: string
  readonly start: StartRecord
  readonly mark: string
}

async function started(bench: Workbench): Promise<Running> {
  const mark = newMark()
  const child = `cp /bin/sleep /tmp/${mark}; /tmp/${mark} 600 & echo ready; wait`
  const task = bench.shell(`trap 'exit 7' TERM; ${child}`)
  await task.start()
  await untilOutput(task, 'ready')
  await eventually(() => assert.equal(wearing(mark).length, 1))
  const { key } = parseTaskId(task.id())
  const dir = join(bench.stateDir, 'tasks', key)
  const start = readStart(dir)
  assert.ok(start !== null && !('corrupt' in start))
  return { task, key, dir, start, mark }
}

function removed(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

async function soon<Value>(end: Promise<Value>): Promise<Value> {
  const late = sleep(boundMs, null, { ref: false }).then(() => assert.fail(`nothing within ${boundMs} ms`))
  return Promise.race([end, late])
}

async function gone(start: StartRecord, mark: string): Promise<void> {
  await eventually(() => assert.deepEqual(wearing(mark), []))
  await eventually(() => assert.equal(isAlive(start.shim), false))
}
