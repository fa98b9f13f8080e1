import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { audit, type Executor } from '../../src/index.ts'
import { findDiskWay } from '../../src/platform/linux/disk-way.ts'
import { nativeProgram } from '../../src/spawn/native-program.ts'
import { giveProject, limitProject, projectsLeft } from '../../src/spawn/project.ts'
import { projectPoints } from '../../src/task/failpoint.ts'
import { canCompile, withoutCall, withoutCalls } from '../attacks/hostile.ts'
import { foundAfter } from '../support/disk-successor.ts'
import { loopsOf } from '../support/loops.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { mountProjectQuota } from '../support/project-quota.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { withVariable } from '../support/variable.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'

const MiB = 1024 * 1024
const diskBytes = 4 * MiB

const rowOf = (task: Executor) => task.enforcement.find(({ name }) => name === 'diskBytes')
const allocOf = (bench: Workbench, task: Executor) => join(bench.stateDir, 'allocs', keyOf(task))
const inForce = async (task: Executor) => {
  const row = (await task.verify()).rows.find(({ name }) => name === 'diskBytes')
  return [row?.verdict, row?.inForce]
}
/** As lsattr(1) has it. */
const projectAt = (path: string) =>
  Number(execFileSync('lsattr', ['-pd', path], { encoding: 'utf8' }).trim().split(/\s+/)[0])

/** How quotactl(2) is asked: by a descriptor, or, where that is refused, by the node of the device. */
const ways: Readonly<Record<string, (() => string) | null>> = {
  'diskBytes where the file system has project quotas': null,
  'diskBytes by project quotas, on a kernel without quotactl_fd': () => withoutCall('quotactl_fd'),
  'diskBytes by project quotas, under a filter that refuses quotactl_fd': () =>
    withoutCall('quotactl_fd', constants.errno.EPERM),
}

for (const [name, wrapped] of Object.entries(ways))
  describe(name, () => {
    let unmount: (() => void) | undefined
    let path = ''
    let program = ''
    const native = process.env.HOLDFAST_NATIVE

    before(function () {
      requires(this, 'root', 'linux', 'native', 'project-quota')
      if (wrapped !== null && !canCompile('without_call')) this.skip()
      if (wrapped !== null) process.env.HOLDFAST_NATIVE = wrapped()
      ;({ path, unmount } = mountProjectQuota())
      const native = nativeProgram()
      program = 'path' in native ? native.path : ''
    })
    after(() => {
      unmount?.()
      if (native === undefined) delete process.env.HOLDFAST_NATIVE
      else process.env.HOLDFAST_NATIVE = native
    })

    const nothingLeft = async (stateDir: string): Promise<void> => {
      assert.deepEqual(await projectsLeft(program, path), [])
      assert.deepEqual((await audit({ stateDir })).leftovers, [])
    }

    it('is a project of it, of which destroy() leaves nothing', () =>
      withWorkbench('linux', async bench => {
        const script =
          'mkdir /local/own; echo kept >/local/own/file; stat -c "%n %a %u" /local /alloc /alloc/*'
        const [task, plain] = [bench.shell(script), bench.shell(script)]
        await task.limit({ diskBytes })
        assert.equal(await outputOf(task), await outputOf(plain))
        assert.deepEqual([rowOf(task)?.status, rowOf(task)?.requested], ['enforced', `${diskBytes}`])
        const [alloc, other] = [allocOf(bench, task), allocOf(bench, plain)]
        const number = projectAt(alloc)
        assert.ok(number >= 0x7000_0000, String(number))
        assert.equal(projectAt(join(alloc, 'sh', 'local', 'own')), number)
        assert.equal(projectAt(other), 0)
        const { blocks, bsize } = statfsSync(alloc)
        assert.equal(blocks * bsize, diskBytes)
        assert.deepEqual(loopsOf(bench.stateDir), [])
        await task.destroy()
        await nothingLeft(bench.stateDir)
      }))

    it('grows and shrinks while the task runs, but not below what it has stored', () =>
      withWorkbench('linux', async bench => {
        // Its first line takes a block for the log: of xfs there is none for a line once the project is full.
        const script = `fill() { dd if=/dev/zero of=/local/$1 bs=64k count=$2 2>/dev/null && echo "all $1" || echo "full $1"; }
        echo begun; fill first 1000; until [ -e /local/go ]; do sleep 0.02; done; fill second 100; fill third 1000; exec sleep 1000`
        const task = bench.shell(script)
        await task.limit({ diskBytes })
        await task.start()
        await untilOutput(task, 'full first')
        await refuses(task.update({ diskBytes: MiB }), {
          code: 'INVALID_ARGUMENT',
          message: /^diskBytes: got 1048576, takes \d+ or more: that much the task has stored/,
        })
        await task.update({ diskBytes: 16 * MiB })
        assert.equal(rowOf(task)?.requested, `${16 * MiB}`)
        assert.deepEqual(await inForce(task), ['holds', `a project of ${16 * MiB} bytes`])
        writeFileSync(join(allocOf(bench, task), 'sh', 'local', 'go'), '')
        await untilOutput(task, 'full third')
        assert.equal(await output(task), 'begun\nfull first\nall second\nfull third\n')
        execFileSync('rm', [join(allocOf(bench, task), 'sh', 'local', 'third')])
        await task.update({ diskBytes: 12 * MiB })
        const { blocks, bsize } = statfsSync(allocOf(bench, task))
        assert.equal(blocks * bsize, 12 * MiB)
        // Somebody else gives it more.
        const number = projectAt(allocOf(bench, task))
        assert.equal(await limitProject(program, number, 20 * MiB, allocOf(bench, task)), null)
        assert.deepEqual(await inForce(task), ['differs', `a project of ${20 * MiB} bytes`])
      }))

    it('of two that are given the same number one lets go', () =>
      withWorkbench('linux', async bench => {
        const [one, two] = [bench.directory('one'), bench.directory('two')]
        const given = (directory: string, known: number | null) =>
          giveProject(program, [directory], MiB, { known, chosen: () => {} })
        const first = await given(one, null)
        assert.ok('number' in first)
        const second = await given(two, first.number)
        assert.ok('number' in second)
        assert.notEqual(second.number, first.number)
        assert.deepEqual([projectAt(one), projectAt(two)], [first.number, second.number])
        // What goes on after it was killed keeps its own.
        assert.deepEqual(await given(one, first.number), first)
        execFileSync('rm', ['-r', one, two])
        assert.deepEqual((await projectsLeft(program, path)).length, 2)
        await bench.command('/bin/true').start()
        const found = await audit({ stateDir: bench.stateDir, fix: true })
        assert.deepEqual(
          found.leftovers.map(({ kind, fixed }) => [kind, fixed]),
          [
            ['project', true],
            ['project', true],
          ],
        )
        assert.deepEqual(await projectsLeft(program, path), [])
      }))

    it('a task that no project binds, or that could leave it, has a file system of its own', () =>
      withWorkbench('linux', async bench => {
        const task = bench.command('/bin/sleep', '1000')
        task.command.seccomp = 'off'
        await task.limit({ diskBytes })
        await task.start()
        assert.equal(rowOf(task)?.status, 'enforced')
        assert.equal(loopsOf(bench.stateDir).length, 1)
        assert.ok(!existsSync(join(directoryOf(task), 'project')))
      }))

    for (const point of projectPoints)
      it(`of a supervisor that is killed at ${point}: its successor removes all of it`, () =>
        withWorkbench('linux', async bench => {
          const { stateDir } = bench
          const tasks = await foundAfter(bench, point, diskBytes)
          assert.equal(tasks.length, 1)
          for (const task of tasks) {
            const number = readFileSync(join(directoryOf(task), 'project'), 'latin1')
            assert.match(number, /^\d+\n$/)
            await task.wait()
            await task.destroy()
          }
          await nothingLeft(stateDir)
        }))

    it('of a supervisor that is killed amid its removal: another destroys the task', () =>
      withWorkbench('linux', async bench => {
        const { stateDir } = bench
        const tasks = await foundAfter(bench, 'destroy-allocation-removed', diskBytes, ['destroy'])
        for (const task of tasks) await task.destroy()
        await nothingLeft(stateDir)
      }))
  })

describe('diskBytes where quotactl(2) is refused, in the file system of a task that could be a project', () => {
  let unmount: (() => void) | undefined

  before(function () {
    requires(this, 'root', 'linux', 'native', 'project-quota')
    if (!canCompile('without_call')) this.skip()
    ;({ unmount } = mountProjectQuota())
  })
  after(() => unmount?.())

  for (const errno of ['ENOSYS', 'EPERM'] as const)
    it(`is a file system of its own, and the reason is known (${errno})`, () => {
      const native = withoutCalls(['quotactl_fd', 'quotactl'], constants.errno[errno])
      return withVariable('HOLDFAST_NATIVE', native, () =>
        withWorkbench('linux', async bench => {
          const task = bench.command('/bin/sleep', '1000')
          await task.limit({ diskBytes })
          await task.start()
          assert.equal(rowOf(task)?.status, 'enforced')
          assert.equal(loopsOf(bench.stateDir).length, 1)
          const places = { allocs: join(bench.stateDir, 'allocs'), state: bench.stateDir }
          const self = { uid: 0, gid: 0, groups: [] }
          assert.deepEqual(await findDiskWay(places, { right: 'root', self }), {
            way: 'image',
            why: `project quotas cannot be asked for: the kernel, or a filter, refuses quotactl(2) (${errno})`,
          })
        }),
      )
    })
})
