import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants } from 'node:os'
import { readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audit, type Executor } from '../../src/index.ts'
import type { StartRecord } from '../../machines/index.ts'
import { sendControl } from '../../src/spawn/control.ts'
import { isAlive } from '../../src/spawn/process-table.ts'
import { eventually } from '../support/eventually.ts'
import { isStopped } from '../../src/spawn/send-signal.ts'
import { output, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'

import { newMark, wearing } from './hostile.ts'

type Running = { readonly task: Executor; readonly dir: string; readonly start: StartRecord; mark: string }

/** Ways to make a shim deaf, or to take from it what it is reached by. */
const ways: readonly (readonly [name: string, take: (running: Running) => void])[] = [
  ['its shim is stopped', ({ start }) => process.kill(start.shim.pid, 'SIGSTOP')],
  ['its FIFO `control` is deleted', ({ dir }) => unlinkSync(join(dir, 'control'))],
  ['its FIFO `control` is a plain file', ({ dir }) => replaced(dir, path => writeFileSync(path, ''))],
  ['its FIFO `control` is a directory', ({ dir }) => replaced(dir, path => execFileSync('mkdir', [path]))],
  ['its FIFO `control` is another', ({ dir }) => replaced(dir, path => execFileSync('mkfifo', [path]))],
  [
    'its shim is stopped and its FIFO `control` is gone',
    ({ dir, start }) => {
      process.kill(start.shim.pid, 'SIGSTOP')
      unlinkSync(join(dir, 'control'))
    },
  ],
  ['its directory is moved away', ({ dir }) => renameSync(dir, `${dir}.moved`)],
  ['its directory is deleted', ({ dir }) => rmSync(dir, { recursive: true })],
  [
    'the state directory is deleted while its shim is stopped',
    ({ dir, start }) => {
      process.kill(start.shim.pid, 'SIGSTOP')
      rmSync(join(dir, '..'), { recursive: true })
    },
  ],
]

describe('attack: the way to the shim is taken away', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const platform of ['linux', 'basic'] as const)
    for (const [name, take] of ways)
      it(`${name}: forceStop kills the whole task all the same (${platform})`, () =>
        withWorkbench(platform, async bench => {
          const running = await started(bench)
          take(running)
          const { cause, exitCode } = await running.task.forceStop()
          assert.deepEqual({ cause, exitCode }, { cause: 'forced', exitCode: null })
          await gone(running)
        }))

  it('control: a stopped shim does not act on a kill that is written into its FIFO', () =>
    withWorkbench('linux', async bench => {
      const { dir, start, mark, task } = await started(bench)
      process.kill(start.shim.pid, 'SIGSTOP')
      assert.ok(sendControl(dir, 'kill'))
      await new Promise(resolve => setTimeout(resolve, 500))
      assert.equal(wearing(mark).length, 2)
      await task.forceStop()
    }))

  it('a shim that is stopped is continued for a graceful stop, and writes down how that went', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('trap "echo asked; exit 3" TERM; echo ready; while :; do sleep 0.05; done')
      await task.start()
      await untilOutput(task, 'ready')
      process.kill(startOf(bench).shim.pid, 'SIGSTOP')
      const { cause, evidence, exitCode } = await task.shutdown({ graceMs: 60_000 })
      assert.deepEqual({ cause, evidence, exitCode }, { cause: 'shutdown', evidence: 'record', exitCode: 3 })
      assert.match(await output(task, 'stdout'), /asked/)
    }))

  it('a shim that is stopped is continued for a signal', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('trap "exit 4" USR1; echo ready; while :; do sleep 0.05; done')
      await task.start()
      await untilOutput(task, 'ready')
      process.kill(startOf(bench).shim.pid, 'SIGSTOP')
      await eventually(() => assert.ok(isStopped(startOf(bench).shim)))
      await task.signal('SIGUSR1')
      assert.equal((await task.wait()).exitCode, 4)
    }))

  it('a graceful stop reaches a task whose FIFO is gone', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done')
      await task.start()
      await untilOutput(task, 'ready')
      unlinkSync(join(bench.stateDir, 'tasks', bench.keys()[0] ?? '', 'control'))
      const { cause, evidence, exitCode } = await task.shutdown({ graceMs: 60_000 })
      assert.deepEqual({ cause, evidence, exitCode }, { cause: 'shutdown', evidence: 'record', exitCode: 3 })
    }))

  for (const target of ['group', 'leader'] as const)
    it(`that stop is the one asked for: its own signal, to the ${target}`, () =>
      withWorkbench('linux', async bench => {
        const child = `trap "echo child; exit" USR1; trap exit TERM; : > /tmp/listens; while :; do sleep 0.05; done`
        const then = target === 'group' ? 'wait $c' : 'kill $c; wait $c'
        const task = bench.shell(`sh -c '${child}' & c=$!; trap "${then}; exit 5" USR1
          until [ -e /tmp/listens ]; do sleep 0.02; done; echo ready; while :; do wait; done`)
        await task.start()
        await untilOutput(task, 'ready')
        const dir = join(bench.stateDir, 'tasks', bench.keys()[0] ?? '')
        unlinkSync(join(dir, 'control'))
        const { cause, exitCode } = await task.shutdown({ signal: 'SIGUSR1', graceMs: 60_000, target })
        assert.deepEqual({ cause, exitCode }, { cause: 'shutdown', exitCode: 5 })
        const { stop } = JSON.parse(readFileSync(join(dir, 'exit.json'), 'utf8')) as {
          stop: { signal: number }
        }
        assert.equal(stop.signal, constants.signals.SIGUSR1)
        assert.equal((await output(task, 'stdout')).includes('child'), target === 'group')
      }))

  it('a limit that its shim cannot be told is refused for that reason', () =>
    withWorkbench('linux', async bench => {
      const { task, dir } = await started(bench)
      unlinkSync(join(dir, 'control'))
      const refused = { code: 'INVALID_STATE', message: /its shim lives, and .*control is gone/ }
      await assert.rejects(task.update({ wallTimeMs: 1000 }), refused)
    }))

  for (const platform of ['linux', 'basic'] as const)
    it(`exec() into a task whose FIFO \`alive\` is gone is refused for that, and not as into one that has ended (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const { task, dir } = await started(bench)
        unlinkSync(join(dir, 'alive'))
        const refused = {
          code: 'INVALID_STATE',
          message: /runs, but its FIFO .*alive, which reports its end, is missing/,
        }
        await assert.rejects(async () => task.exec('true').start(), refused)
        assert.equal(task.state, 'running')
        await task.forceStop()
      }))

  it('its grace is kept by the shim, also when the supervisor goes', () =>
    withWorkbench('linux', async bench => {
      const { task, dir, start, mark } = await started(bench)
      unlinkSync(join(dir, 'control'))
      const stopping = task.shutdown({ graceMs: 400 }).catch(() => {})
      await eventually(() => assert.equal(task.state, 'stopping'))
      await bench.supervisor.close()
      await stopping
      await gone({ task, dir, start, mark })
      const later = await bench.another().open(task.id())
      assert.equal((await later.wait()).cause, 'forced')
    }))

  it('control: a SIGTERM without a word leaves it the grace that the task was started with', () =>
    withWorkbench('linux', async bench => {
      bench.another({ shutdown: { graceMs: 60_000 } })
      const { start, mark } = await started(bench)
      process.kill(start.shim.pid, 'SIGTERM')
      await new Promise(resolve => setTimeout(resolve, 1500))
      assert.equal(wearing(mark).length, 2)
    }))

  it('a signal reaches a task whose FIFO is gone', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('trap "echo got; exit 4" USR1; echo ready; while :; do sleep 0.05; done')
      await task.start()
      await untilOutput(task, 'ready')
      unlinkSync(join(bench.stateDir, 'tasks', bench.keys()[0] ?? '', 'control'))
      await task.signal('SIGUSR1')
      assert.equal((await task.wait()).exitCode, 4)
    }))

  it('a shim that is stopped again whenever it is continued is killed after its task: forced, and inferred', () =>
    withWorkbench('linux', async bench => {
      const running = await started(bench)
      const { pid } = running.start.shim
      const stopping = setInterval(() => isAlive(running.start.shim) && process.kill(pid, 'SIGSTOP'), 1)
      // Every instant of it: continued, it would run for a moment before the next turn of this loop.
      process.kill(pid, 'SIGSTOP')
      renameSync(join(running.dir, 'control'), join(running.dir, 'control.old'))
      try {
        assert.equal((await running.task.forceStop()).cause, 'forced')
      } finally {
        clearInterval(stopping)
      }
      await gone(running)
    }))

  for (const [name, take] of ways.filter(([way]) => !/moved|the state directory/.test(way)))
    it(`${name}: audit names the task, and kills it when asked to`, function () {
      requires(this, 'root')
      return withWorkbench('linux', async bench => {
        const running = await started(bench)
        assert.deepEqual(await found(bench, running), [])
        take(running)
        if (/stopped/.test(name)) await eventually(() => assert.ok(isStopped(running.start.shim)))
        const named = await found(bench, running)
        assert.equal(named.length, 1, JSON.stringify(named))
        assert.equal(named[0]?.fixed, false)
        assert.ok(isAlive(running.start.task), 'looking does not touch it')
        const fixed = await found(bench, running, true)
        assert.equal(fixed[0]?.fixed, true, JSON.stringify(fixed))
        await gone(running)
      })
    })
})

async function started(bench: Workbench): Promise<Running> {
  const mark = newMark()
  const named = `cp /bin/sleep /tmp/${mark} 2>/dev/null || cp /bin/sleep ./${mark}`
  const run = `p=/tmp/${mark}; [ -x $p ] || p=./${mark}; setsid $p 600 & $p 600 & echo ready; wait`
  const task = bench.shell(`trap '' TERM; ${named}; ${run}`)
  await task.start()
  await untilOutput(task, 'ready')
  await eventually(() => assert.equal(wearing(mark).length, 2))
  if (bench.platform === 'basic') rmSync(`/tmp/${mark}`, { force: true })
  return { task, mark, dir: join(bench.stateDir, 'tasks', bench.keys()[0] ?? ''), start: startOf(bench) }
}

function startOf(bench: Workbench): StartRecord {
  const [key = ''] = bench.keys()
  return JSON.parse(readFileSync(join(bench.stateDir, 'tasks', key, 'start.json'), 'utf8')) as StartRecord
}

async function gone({ start, mark }: Running): Promise<void> {
  await eventually(() => assert.deepEqual(wearing(mark), []))
  await eventually(() => assert.equal(isAlive(start.shim), false))
}

async function found(bench: Workbench, { dir }: Running, fix = false) {
  const { leftovers } = await audit({ stateDir: bench.stateDir, fix })
  return leftovers.filter(({ kind, path }) => kind === 'task' && path === dir)
}

function replaced(dir: string, make: (path: string) => void): void {
  const path = join(dir, 'control')
  unlinkSync(path)
  make(path)
}
