import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../src/index.ts'
import { strongest } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { keyOf } from '../support/task-key.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/** A user of the host that has nothing to do with any task. */
const somebody = 4242

describe('attack: modes and owners that a task gives its files, used on the host (CVE-2021-41091)', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const whose of ['its own allocation', 'an AllocDir'])
    describe(`in ${whose}`, () => {
      it('a set-user-ID program that a task of root leaves is out of reach of the users of the host', async function () {
        requires(this, 'root')
        await withWorkbench('linux', async bench => {
          const task = await prepared(
            bench,
            whose,
            'cp /usr/bin/id /local/id && chmod 6755 /local/id; echo $?',
          )
          // The filter refuses such modes to start with; this is for whoever is without it.
          Object.assign(task.command, { user: strongest, seccomp: 'off' })
          assert.equal(await outputOf(task), '0\n')
          const { root, local } = pathsOf(bench, task)
          const program = join(local, 'id')
          assert.equal(statSync(program).mode & 0o7777, 0o6755)
          assert.throws(() => as(somebody, program))
          // The control: with the mode that allocations had before, it is root.
          chmodSync(root, 0o711)
          assert.match(as(somebody, program), /euid=0/)
        })
      })

      it('a task without a root of its own gets through with its group, and nobody else does', async function () {
        requires(this, 'root')
        await withWorkbench('basic', async bench => {
          const task = await prepared(bench, whose, 'cd "$NOMAD_TASK_DIR" && : > made && echo yes')
          Object.assign(task.command, { user: 4243 })
          assert.equal(await outputOf(task), 'yes\n')
          const { root, local } = pathsOf(bench, task)
          assert.deepEqual([statSync(root).mode & 0o7777, statSync(root).gid], [0o710, 4243])
          copyFileSync('/usr/bin/id', join(local, 'id'))
          chmodSync(join(local, 'id'), 0o755)
          assert.throws(() => as(somebody, join(local, 'id')))
          assert.match(as(4243, join(local, 'id')), /uid=4243/)
        })
      })
    })

  it('for the groups of two such tasks, everybody has to get through', async function () {
    requires(this, 'root')
    await withWorkbench('basic', async bench => {
      const alloc = new AllocDir(join(bench.directory('modes'), 'alloc'))
      await alloc.build(['one', 'two'])
      for (const [name, user] of [
        ['one', 4243],
        ['two', 4244],
      ] as const) {
        const task = bench.shell('cd "$NOMAD_TASK_DIR" && echo yes')
        Object.assign(task.command, { user })
        await task.configureTaskDir(name, alloc)
        assert.equal(await outputOf(task), 'yes\n')
      }
      assert.equal(statSync(alloc.path).mode & 0o7777, 0o711)
    })
  })

  it('an isolated task of any user needs no way through: the allocation stays shut', () =>
    withWorkbench('linux', async bench => {
      const task = await prepared(bench, 'an AllocDir', ': > /local/made && : > /alloc/data/made && echo yes')
      assert.equal(await outputOf(task), 'yes\n')
      const { root } = pathsOf(bench, task)
      assert.equal(statSync(root).mode & 0o7777, 0o700)
    }))

  it('set-user-ID means nothing in any mount of a task, whatever it was asked to mount', () =>
    withWorkbench('linux', async bench => {
      const shared = bench.directory('modes')
      const task = bench.shell('cut -d" " -f5,6 /proc/self/mountinfo')
      Object.assign(task.command, {
        user: strongest,
        mounts: [
          { source: shared, target: '/m' },
          { source: shared, target: '/r', readOnly: true },
        ],
        tmpfs: [{ target: '/t' }],
      })
      const lines = (await outputOf(task)).trim().split('\n')
      assert.ok(lines.length > 10)
      assert.deepEqual(
        lines.filter(line => !/[ ,]nosuid(,|$)/.test(line)),
        [],
      )
    }))
})

type Task = ReturnType<Workbench['shell']>
const allocations = new WeakMap<Task, AllocDir>()

async function prepared(bench: Workbench, whose: string, script: string): Promise<Task> {
  const task = bench.shell(script)
  if (whose !== 'an AllocDir') return task
  const alloc = new AllocDir(join(bench.directory('modes'), 'alloc'))
  await alloc.build(['web'])
  await task.configureTaskDir('web', alloc)
  allocations.set(task, alloc)
  return task
}

function pathsOf(bench: Workbench, task: Task): { root: string; local: string } {
  const own = allocations.get(task)?.taskPaths('web')
  const root = join(bench.stateDir, 'allocs', keyOf(task))
  return own ?? { root, local: join(root, 'sh/local') }
}

function as(uid: number, program: string): string {
  return execFileSync(program, { uid, gid: uid, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
