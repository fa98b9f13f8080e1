import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import type { Command, Executor } from '../../src/index.ts'
import type { PlatformName } from '../../src/platform/port.ts'
import { strongest, weakest } from '../support/identity.ts'
import { output, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, newMark, verdicts, wearing } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

type Way = { readonly title: string; readonly platform: PlatformName; readonly loosened: Partial<Command> }

const ways: readonly Way[] = [
  { title: 'linux', platform: 'linux', loosened: {} },
  { title: 'linux as root', platform: 'linux', loosened: { user: strongest } },
  { title: 'linux without a pid namespace', platform: 'linux', loosened: { namespaces: { pid: false } } },
  {
    title: 'linux without mount and pid namespaces',
    platform: 'linux',
    loosened: { namespaces: { pid: false, mount: false } },
  },
  { title: 'linux in the host’s root', platform: 'linux', loosened: { root: 'host' } },
  { title: 'basic', platform: 'basic', loosened: {} },
  { title: 'basic as nobody', platform: 'basic', loosened: { user: weakest } },
]

describe('attack: processes that will not die', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const { title, platform, loosened } of ways) {
    it(`daemons that ignore every signal and left group, session and parent die with shutdown (${title})`, () =>
      survivorsOf({ platform, loosened, seconds: 60 }, async task => {
        const { signal, cause, error } = await task.shutdown({ graceMs: 50 })
        assert.deepEqual({ signal, cause, error }, { signal: 'SIGKILL', cause: 'forced', error: null })
      }))

    it(`and with forceStop (${title})`, () =>
      survivorsOf({ platform, loosened, seconds: 60 }, async task => {
        const { signal, cause } = await task.forceStop()
        assert.deepEqual({ signal, cause }, { signal: 'SIGKILL', cause: 'forced' })
      }))

    it(`a leader that exits at once takes its 200 daemons with it (${title})`, () =>
      survivorsOf({ platform, loosened, seconds: 0, count: 200 }, async task => {
        const { exitCode, cause, error } = await task.wait()
        assert.deepEqual({ exitCode, cause, error }, { exitCode: 0, cause: 'exited', error: null })
      }))
  }

  it('a task that stopped its own group is woken, and ends by the signal', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        "trap 'echo heard; exit 7' TERM; echo ready; while :; do kill -STOP 0; sleep 0.05; done",
      )
      await task.start()
      await untilOutput(task, 'ready')
      const { exitCode, cause } = await task.shutdown({ graceMs: 10_000 })
      assert.deepEqual({ exitCode, cause }, { exitCode: 7, cause: 'shutdown' })
      assert.match(await output(task), /heard/)
    }))

  for (const platform of ['linux', 'basic'] as const)
    it(`a chatty writer is cut off by shutdown, and its log is whole and no longer grows (${platform})`, () =>
      withWorkbench(platform, async bench => {
        const task = bench.shell(
          "trap '' TERM; for i in 1 2 3; do (while :; do echo 0123456789012345678901234567890; done) & done; wait",
        )
        await task.start()
        await untilOutput(task, '0123456789')
        const { cause, logsComplete } = await task.shutdown({ graceMs: 100 })
        assert.deepEqual({ cause, logsComplete }, { cause: 'forced', logsComplete: true })
        const text = await output(task)
        assert.match(text, /^(0123456789012345678901234567890\n)+$/)
        const [key = ''] = bench.keys()
        const { local } = parseStartRecord(bench.stateDir, key)
        assert.equal(statSync(join(local, '../../alloc/logs/sh.stdout')).size, text.length)
      }))
})

describe('attack: more than its share', () => {
  before(function () {
    // Without cgroups nothing but rlimits holds an ordinary user's task.
    requires(this, 'root', 'linux', 'native')
  })

  it('a fork bomb is held by pids, and the host forks on', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'bomb', ['400'])
      await task.limit({ pids: 24 })
      assert.deepEqual(await verdicts(task), { forked: '23', 'stopped-by': 'EAGAIN' })
      assert.equal(execFileSync('echo', ['on'], { encoding: 'utf8' }), 'on\n')
    }))

  it('control: without pids it forks as it likes', () =>
    withWorkbench('linux', async bench => {
      assert.deepEqual(await verdicts(attacker(bench, 'bomb', ['100'])), {
        forked: '100',
        'stopped-by': 'itself',
      })
    }))

  it('a task at its pids limit can still be stopped, and its exit recorded', () =>
    withWorkbench('linux', async bench => {
      // A shell ends where it may not fork: the inner one does, and the outer one takes its place.
      const fill = '(while :; do sleep 1000 & done) 2>/dev/null; sleep 1000 & echo full; exec sleep 1000'
      const task = bench.shell(`trap '' TERM; ${fill}`)
      await task.limit({ pids: 16 })
      await task.start()
      await untilOutput(task, 'full')
      assert.equal((await task.usage()).pids, 16)
      const { cause, evidence, limitsHit } = await task.shutdown({ graceMs: 100 })
      assert.deepEqual([cause, evidence], ['forced', 'record'])
      assert.ok((limitsHit.pidsRefused ?? 0) > 0)
    }))

  it('a memory hog is killed alone: the shim lives to write down that it was memory', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'hog', ['200'])
      await task.limit({ memoryMB: 32 })
      await task.start()
      const { signal, oomKilled, cause, evidence } = await task.wait()
      assert.deepEqual(
        { signal, oomKilled, cause, evidence },
        { signal: 'SIGKILL', oomKilled: true, cause: 'oom', evidence: 'record' },
      )
      assert.equal(await output(task), '')
    }))

  it('memory in /tmp counts, and cannot be hidden there', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'dd if=/dev/zero of=/tmp/a bs=1M count=100 2>/dev/null; dd if=/dev/zero of=/tmp/b bs=1M count=100; echo all',
      )
      await task.limit({ memoryMB: 16 })
      await task.start()
      const { oomKilled } = await task.wait()
      const filled = (await output(task, 'stderr')).includes('No space left')
      assert.ok(oomKilled || filled)
    }))

  it('control: with room enough the same hog ends well', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'hog', ['32'])
      await task.limit({ memoryMB: 64 })
      await task.start()
      const { exitCode, oomKilled } = await task.wait()
      assert.deepEqual({ exitCode, oomKilled }, { exitCode: 0, oomKilled: false })
    }))

  it('it cannot raise its own limits', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'ulimit -n 64 && ulimit -Hn 128; nice -n -5 true; nice; echo -500 > /proc/self/oom_score_adj',
      )
      Object.assign(task.command, { user: strongest })
      await task.limit({ rlimits: { nofile: [32, 32] } })
      await task.start()
      await task.wait()
      const complaints = await output(task, 'stderr')
      assert.match(complaints, /ulimit: error setting limit|Operation not permitted/)
      assert.match(complaints, /nice: cannot set niceness: Permission denied/)
      assert.equal((await output(task)).trim(), String(getPriority()))
    }))
})

async function survivorsOf(
  {
    platform,
    loosened,
    seconds,
    count = 8,
  }: { platform: PlatformName; loosened: Partial<Command>; seconds: number; count?: number },
  stop: (task: Executor) => Promise<void>,
): Promise<void> {
  const mark = newMark()
  await withWorkbench(platform, async bench => {
    const task = attacker(bench, 'immortal', [mark, String(count), String(seconds)], loosened)
    await task.start()
    if (seconds > 0) {
      await untilOutput(task, 'ready')
      assert.equal(wearing(mark).length, count + 1, 'the daemons run')
    }
    await stop(task)
    assert.equal(await output(task), 'ready\n')
    assert.deepEqual(wearing(mark), [])
  })
}
