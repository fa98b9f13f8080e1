import assert from 'node:assert/strict'
import type { Executor } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { keyOf } from '../support/task-key.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'
import { attacker } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

/** Beyond limit and grace, on a slow machine. */
const boundMs = 20_000

describe('attack: a task holds the lock of the pipe that its shim reads', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const way of ['splice', 'sendfile']) {
    it(`its start is told all the same, and its limit ends it (${way})`, () =>
      withWorkbench('linux', async bench => {
        const task = attacker(bench, 'held_pipe', [way])
        await task.limit({ wallTimeMs: 1500 })
        const began = performance.now()
        await task.start()
        assert.equal((await task.wait()).cause, 'timeout')
        assert.ok(performance.now() - began < boundMs)
      }))

    it(`a forced stop ends it (${way}); control: until then the shim waits where no signal ends it`, () =>
      withWorkbench('linux', async bench => {
        const task = await holding(bench, way)
        const began = performance.now()
        assert.equal((await task.forceStop()).cause, 'forced')
        assert.ok(performance.now() - began < boundMs)
      }))
  }
})

/**
 * A task whose shim waits for the lock. One that has emptied the pipe before anybody held it never asks for
 * it: then another is tried.
 */
async function holding(bench: Workbench, way: string): Promise<Executor> {
  for (let tries = 10; ; tries--) {
    const task = attacker(bench, 'held_pipe', [way])
    await task.start()
    try {
      await eventually(() => assert.equal(stateOfShim(bench, task), 'D'), 3000)
      return task
    } catch (error) {
      await task.forceStop()
      if (tries === 1) throw error
    }
  }
}

function stateOfShim(bench: Workbench, task: Executor): string | undefined {
  const start = parseStartRecord(bench.stateDir, keyOf(task))
  return statOf(start.shim)?.state
}
