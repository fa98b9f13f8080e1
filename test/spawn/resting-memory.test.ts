import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Reply } from '../../src/spawn/wire.ts'
import { eventually } from '../support/eventually.ts'
import { childrenOf } from '../support/held.ts'
import { SpokenSpawner } from '../support/parked-shims.ts'
import { isLiving, statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'

const sleeping = { argv: ['sleep', '1000'], path: '/bin/sleep' }
const stubOf = ({ shim }: Extract<Reply, { kind: 'started' }>): number =>
  childrenOf(shim.pid).find(pid => statOf(pid)?.name === 'holdfast-init') ?? 0

describe('what lives as long as a task', function () {
  this.timeout(60_000)
  let spawner: SpokenSpawner | undefined
  let kibOfPage = 4
  before(function () {
    requires(this, 'root', 'linux', 'native')
    kibOfPage = Number(execFileSync('getconf', ['PAGESIZE'])) / 1024
  })
  afterEach(() => spawner?.close())

  /** Written by it, and shared with nobody. */
  const ownPages = (pid: number): number => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    return Number(/^Private_Dirty:\s+(\d+) kB/m.exec(text)?.[1]) / kibOfPage
  }

  for (const [way, parked] of [
    ['forked for it', '0'],
    ['made before it', '1'],
  ] as const)
    it(`keeps few pages of memory for itself: shim and PID 1 ${way}`, async function () {
      spawner = new SpokenSpawner(parked)
      await spawner.run(2)
      const [waiting] = await spawner.untilParked(Number(parked))
      const started = await spawner.until(spawner.send(sleeping).id, 'started')
      if (parked === '1') assert.equal(started.shim.pid, waiting)
      const stub = stubOf(started)
      // Of PID 1 one page, which the kernel writes to where glibc has told it of a thread (rseq); without
      // what they give back it is two or three of PID 1 and four to six of the shim.
      await eventually(() => {
        assert.ok(ownPages(stub) <= 1, `PID 1: ${ownPages(stub)}`)
        assert.ok(ownPages(started.shim.pid) <= 4, `shim: ${ownPages(started.shim.pid)}`)
      })
      process.kill(started.shim.pid, 'SIGUSR2')
      await spawner.until(started.id, 'gone')
    })

  it('PID 1 without memory shows its command line, is stopped and continued, reaps, and ends', async () => {
    spawner = new SpokenSpawner('0')
    const orphans = { argv: ['sh', '-c', '(sleep 1000 & sleep 1000 &) ; exec sleep 1000'], path: '/bin/sh' }
    const started = await spawner.until(spawner.send(orphans).id, 'started')
    const stub = stubOf(started)
    await eventually(() => assert.ok(ownPages(stub) <= 1))
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) process.kill(stub, signal)
    await eventually(() => assert.equal(statOf(stub)?.state, 'S'))
    await eventually(() => assert.equal(childrenOf(stub).length, 2))
    for (const orphan of childrenOf(stub)) process.kill(orphan, 'SIGKILL')
    await eventually(() => assert.deepEqual(childrenOf(stub), []))
    assert.match(readFileSync(`/proc/${stub}/cmdline`, 'latin1'), /^holdfast\0/)
    process.kill(started.shim.pid, 'SIGKILL')
    await eventually(() => assert.ok(!isLiving(statOf(stub)) && !isLiving(statOf(started.task.pid))))
  })
})
