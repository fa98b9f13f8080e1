import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AllocDir, type Executor } from '../../src/index.ts'
import { requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { withWorkbench } from '../support/workbench.ts'

describe('a log that a collector reads from a FIFO', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  const chatty = (after: string) => `echo first; ${after}; head -c 1000000 /dev/zero; exit 3`

  it('does not hold up a task whose collector has died', () =>
    withSetup('collected', async ({ collector, task, go, until }) => {
      const one = await task(chatty(go.awaited))
      await until(() => collector.read().includes('first'))
      collector.close()
      go.now()
      const { exitCode, logsComplete, limitsHit } = await one.wait()
      assert.deepEqual([exitCode, logsComplete], [3, false])
      // A pipe or two hold the rest.
      const { logBytesDropped: dropped } = limitsHit
      assert.ok(dropped !== null && dropped > 700_000 && dropped < 1_000_000, `${dropped}`)
    }))

  it('control: written by the task itself, it does', () =>
    withSetup('plain', async ({ collector, task, go, until }) => {
      const one = await task(chatty(go.awaited))
      await until(() => collector.read().includes('first'))
      collector.close()
      go.now()
      const over = await Promise.race([one.wait().then(() => true), sleep(3000).then(() => false)])
      assert.equal(over, false)
    }))

  it('waits for a collector that is slow, and the next one has what comes after the last', () =>
    withSetup('collected', async ({ collector, task, go, until }) => {
      const one = await task(`echo first; ${go.awaited}; echo second; seq 100001 150000; exit 3`)
      await until(() => collector.read() === 'first\n')
      collector.close()
      go.now()
      // Longer than a pipe holds: it waits by itself for whoever is next, no longer than for two seconds.
      await sleep(300)
      collector.open()
      const lines = Array.from({ length: 50_000 }, (_, at) => `${100_001 + at}\n`).join('')
      await until(() => collector.read().endsWith('150000\n'))
      assert.ok(collector.read() === `first\nsecond\n${lines}`)
      const { exitCode, logsComplete, limitsHit } = await one.wait()
      assert.deepEqual([exitCode, logsComplete, limitsHit.logBytesDropped], [3, true, 0])
    }))

  it('is refused where only the portable shim is', () =>
    withVariable('HOLDFAST_NATIVE', 'off', () =>
      withWorkbench('basic', async bench => {
        const task = bench.shell('true')
        Object.assign(task.command, { logs: 'collected' })
        await assert.rejects(task.start(), { code: 'UNSUPPORTED', message: /^command\.logs: only/ })
      }),
    ))
})

class Collector {
  readonly #fifo: string
  #fd = -1
  #text = ''

  constructor(fifo: string) {
    this.#fifo = fifo
    this.open()
  }

  open(): void {
    this.#fd = openSync(this.#fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  }

  /** All that has come so far. */
  read(): string {
    const bytes = Buffer.alloc(4096)
    for (let count = 1; count > 0;) {
      try {
        count = readSync(this.#fd, bytes)
        this.#text += bytes.toString('latin1', 0, count)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        break
      }
    }
    return this.#text
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }
}

type Setup = {
  readonly collector: Collector
  readonly task: (script: string) => Promise<Executor>
  readonly go: { readonly awaited: string; readonly now: () => void }
  readonly until: (isSo: () => boolean) => Promise<void>
}

function withSetup(logs: 'plain' | 'collected', use: (setup: Setup) => Promise<void>): Promise<void> {
  return withWorkbench('linux', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['one'])
    const fifo = join(bench.directory('fifo'), 'stdout')
    const other = join(bench.directory('other'), 'stderr')
    execFileSync('mkfifo', ['-m', '600', fifo, other])
    const collector = new Collector(fifo)
    const task = async (script: string) => {
      const one = bench.shell(script)
      Object.assign(one.command, { stdout: fifo, stderr: other, logs })
      await one.configureTaskDir('one', alloc)
      await one.start()
      return one
    }
    const go = {
      awaited: 'until [ -e /local/go ]; do sleep 0.02; done',
      now: () => writeFileSync(join(alloc.path, 'one/local/go'), ''),
    }
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await sleep(5)
    }
    try {
      await use({ collector, task, go, until })
    } finally {
      collector.close()
    }
  })
}
