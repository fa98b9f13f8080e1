import assert from 'node:assert/strict'
import { output, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker } from './hostile.ts'

/** What it takes the kernel to give back all of it, on a busy machine; the shim gives up after this. */
const boundMs = 10_000

/** What a task may hold, as much as its limits allow. */
const kinds = [
  'epolls',
  'inotifies',
  'files',
  'sockets',
  'memory',
  'mappings',
  'queues',
  'segments',
  'threads',
  'vforks',
  'locks',
  'flights',
  'pipes',
  'timers',
]

/** Of these it gets none. */
const refused = ['io_uring', 'perf', 'userfault', 'pressure']

describe('attack: what a task holds keeps it from ending when it is killed', function () {
  this.timeout(120_000)

  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const kind of kinds)
    it(`${kind}: it ends in bounded time`, () =>
      withWorkbench('linux', async bench => {
        const task = attacker(bench, 'holds', [kind])
        await task.limit({ pids: 1024, memoryMB: 768, rlimits: { nofile: 4096 } })
        await task.start()
        const held = Number.parseInt(await untilOutput(task, 'ready'), 10)
        // RLIMIT_MSGQUEUE leaves few queues.
        assert.ok(held > (kind === 'queues' ? 0 : 50), `it holds ${held}`)
        const began = performance.now()
        const { cause, evidence } = await task.forceStop()
        const took = performance.now() - began
        if (process.env.HOLDFAST_TIMES)
          process.stderr.write(`${kind}: ${held} held, ${Math.round(took)} ms\n`)
        assert.deepEqual([cause, evidence], ['forced', 'record'])
        assert.ok(took < boundMs, `${Math.round(took)} ms`)
      }))

  for (const kind of refused)
    it(`${kind}: there is none to be had`, () =>
      withWorkbench('linux', async bench => {
        const task = attacker(bench, 'holds', [kind])
        await task.start()
        await untilOutput(task, 'ready')
        assert.match(await output(task), /^-1 E[A-Z]+$/m)
      }))
})
