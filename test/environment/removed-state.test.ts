import { strict as assert } from 'node:assert'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRecord } from '../../machines/index.ts'
import { audit, type Executor, HoldfastError } from '../../src/index.ts'
import { isAlive } from '../../src/spawn/process-table.ts'
import { eventually } from '../support/eventually.ts'
import { output, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { startRecordOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/** What may be asked of a task; each works, or is refused in our words. */
const calls: Readonly<Record<string, (bench: Workbench, task: Executor) => Promise<unknown>>> = {
  logs: (_, task) => output(task),
  usage: (_, task) => task.usage(),
  signal: (_, task) => task.signal('SIGCONT'),
  update: (_, task) => task.update({ wallTimeMs: 600_000 }),
  exec: async (_, task) => {
    const guest = task.exec('true')
    await guest.start()
    await guest.wait()
    await guest.destroy()
  },
  'ps of another program': bench => bench.another().openAll(),
  'open of another program': (bench, task) => bench.another().open(task.id()),
  'prune of another program': bench => bench.another().prune({ count: 0 }),
}

describe('a state directory that is removed while a task runs', function () {
  this.timeout(60_000)
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const)
    for (const way of ['shutdown', 'forceStop', 'destroy'] as const)
      it(`${platform}: whatever is asked works or is refused in our words, ${way}() ends it, and nothing is left`, () =>
        withWorkbench(platform, async bench => {
          const { task, start } = await running(bench)
          rmSync(bench.stateDir, { recursive: true })
          const refusals: string[] = []
          for (const [name, call] of Object.entries(calls))
            await call(bench, task).catch((error: unknown) => {
              assert.ok(error instanceof HoldfastError, `${name}: ${String(error)}`)
              refusals.push(name)
            })
          assert.ok(refusals.includes('open of another program'))
          assert.ok(isAlive(start.task), 'asking harms nobody')
          const waiting = task.wait()
          await task[way]()
          const { cause, exitCode } = await waiting
          assert.match(cause, way === 'shutdown' ? /^(shutdown|forced|lost)$/ : /^(forced|lost)$/)
          assert.equal(exitCode, null)
          await ended(start)
        }))

  it('audit names the shim of a task that nobody holds any more, and ends it when asked to', function () {
    requires(this, 'root')
    return withWorkbench('linux', async bench => {
      const { start } = await running(bench)
      await bench.supervisor.close()
      rmSync(bench.stateDir, { recursive: true })
      const found = async (fix: boolean) =>
        (await audit({ stateDir: bench.stateDir, fix })).leftovers.filter(({ path }) =>
          path.startsWith(join(bench.stateDir, 'tasks')),
        )
      assert.equal((await found(false)).length, 1)
      assert.ok(isAlive(start.task))
      assert.deepEqual(
        (await found(true)).map(({ fixed }) => fixed),
        [true],
      )
      await ended(start)
    })
  })
})

async function running(bench: Workbench): Promise<{ task: Executor; start: StartRecord }> {
  const task = bench.shell('echo ready; exec sleep 1000')
  await task.start()
  await untilOutput(task, 'ready')
  return { task, start: startRecordOf(task) }
}

async function ended({ task, shim }: StartRecord): Promise<void> {
  await eventually(() => assert.ok(!isAlive(task) && !isAlive(shim)))
}
