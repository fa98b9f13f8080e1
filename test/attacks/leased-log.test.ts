import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AllocDir, type Executor } from '../../src/index.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker } from './hostile.ts'

describe('attack: a lease on a log', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('makes who reads it wait until it is given up, and is no raw EAGAIN', () =>
    withSetup(async ({ told, leaser }) => {
      let text: string | null = null
      const reading = output(told).then(all => (text = all))
      // Each look at a leased file is refused at once; it is looked at again every 100 ms.
      await sleep(300)
      assert.equal(text, null)
      await leaser.forceStop()
      assert.equal(await reading, 'said\n')
    }))

  it('keeps nobody from another log, nor from the end of its task', () =>
    withSetup(async ({ bench, told, leaser }) => {
      assert.equal(await outputOf(bench.shell('echo other')), 'other\n')
      assert.equal((await told.wait()).exitCode, 0)
      assert.equal(leaser.state, 'running')
    }))

  it('control: without it the log is read at once', () =>
    withSetup(async ({ told, leaser }) => {
      await leaser.forceStop()
      assert.equal(await output(told), 'said\n')
    }))
})

type Setup = { readonly bench: Workbench; readonly told: Executor; readonly leaser: Executor }

/** A task that has written a log in an allocation, and a neighbour of its user that holds a lease on it. */
function withSetup(play: (setup: Setup) => Promise<void>): Promise<void> {
  return withWorkbench('linux', async bench => {
    const alloc = new AllocDir(join(bench.directory('leased'), 'alloc'))
    await alloc.build(['told', 'leaser'])
    const told = bench.shell('echo said')
    Object.assign(told.command, { stdout: join(alloc.sharedDir, 'data/out'), logs: 'plain' })
    await told.configureTaskDir('told', alloc)
    await told.start()
    await told.wait()
    const leaser = attacker(bench, 'leaser', ['/alloc/data/out'])
    await leaser.configureTaskDir('leaser', alloc)
    await leaser.start()
    await untilOutput(leaser, 'ready')
    await play({ bench, told, leaser })
  })
}
