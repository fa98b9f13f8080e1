import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../../../src/index.ts'
import { detectCgroups } from '../../../src/platform/linux/cgroup-mode.ts'
import { canCompile, withoutCall } from '../../attacks/hostile.ts'
import { eventually } from '../../support/eventually.ts'
import { requires } from '../../support/requires.ts'
import { withVariable } from '../../support/variable.ts'
import { type Workbench, withWorkbench } from '../../support/workbench.ts'

/** Writing a pid into cgroup.procs makes v2 wait for a grace period of RCU: 12 ms after some quiet. */
describe('a process that is to be in a cgroup of v2', () => {
  let mount = ''

  before(function () {
    requires(this, 'linux', 'root', 'native')
    mount = detectCgroups().v2?.mount ?? ''
    if (mount !== '') return
    process.stderr.write('SKIPPED births in cgroups: there is no cgroup v2 here\n')
    this.skip()
  })

  it('is born there, a task as what runs inside of it, and nobody is moved', () =>
    withCgroup(mount, (dir, moves) =>
      withWorkbench('linux', async bench => {
        await startBoth(bench, dir)
        assert.equal(moves(), 0)
        // Control: a move is seen.
        const child = spawn('sleep', ['100'])
        await once(child, 'spawn')
        writeFileSync(join(dir, 'cgroup.procs'), String(child.pid))
        await eventually(() => assert.ok(moves() > 0))
        child.kill('SIGKILL')
        await once(child, 'exit')
      }),
    ))

  for (const [name, errno] of [
    ['ENOSYS', 38],
    ['EPERM', 1],
  ] as const)
    it(`is moved there where clone3 is refused with ${name}`, function () {
      if (!canCompile('without_call')) return this.skip()
      const native = withoutCall('clone3', errno)
      return withVariable('HOLDFAST_NATIVE', native, () =>
        withCgroup(mount, (dir, moves) =>
          withWorkbench('linux', async bench => {
            await startBoth(bench, dir)
            await eventually(() => assert.ok(moves() > 0))
          }),
        ),
      )
    })

  it('is refused for pids.max where it was before: a task of one process starts, what is to run inside of it does not', function () {
    if (!hasPids(mount)) return this.skip()
    return withCgroup(mount, dir =>
      withWorkbench('linux', async bench => {
        writeFileSync(join(dir, 'pids.max'), '1')
        const task = started(bench, dir, 'exec sleep 100')
        await task.start()
        assert.equal(membersOf(dir).length, 1)
        // The way in needs one process more than there may be.
        const session = task.exec('true')
        await assert.rejects(session.start(), { errno: 'EAGAIN' })
        await task.forceStop()
      }),
    )
  })
})

async function startBoth(bench: Workbench, dir: string): Promise<void> {
  const task = started(bench, dir, 'exec sleep 100')
  await task.start()
  assert.equal(membersOf(dir).length, 1)
  const session = task.exec('sleep', '100')
  await session.start()
  // What went into the task's namespaces for it has yet to exit.
  await eventually(() => assert.equal(membersOf(dir).length, 2))
  // Longer than a notification takes.
  await sleep(50)
  await session.forceStop()
  await task.forceStop()
}

function started(bench: Workbench, dir: string, script: string): Executor {
  const task = bench.shell(script)
  task.command.cgroups = [dir]
  return task
}

const membersOf = (dir: string): string[] =>
  readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)

const hasPids = (dir: string): boolean =>
  readFileSync(join(dir, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes('pids')

/** A cgroup of an orchestrator, and how often somebody has written into its cgroup.procs. */
async function withCgroup(
  mount: string,
  body: (dir: string, moves: () => number) => Promise<void>,
): Promise<void> {
  const dir = join(mount, `holdfast-test-${process.pid}`)
  mkdirSync(dir)
  let count = 0
  const watcher = watch(join(dir, 'cgroup.procs'), () => count++)
  try {
    await body(dir, () => count)
  } finally {
    watcher.close()
    rmdirSync(dir)
  }
}
