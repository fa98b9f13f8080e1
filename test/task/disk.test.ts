import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { AllocDir, audit, type Executor, type Supervisor } from '../../src/index.ts'
import { diskPoints } from '../../src/task/failpoint.ts'
import { eventually } from '../support/eventually.ts'
import { foundAfter } from '../support/disk-successor.ts'
import { startFixture } from '../support/fixture.ts'
import { loopsOf } from '../support/loops.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { requires } from '../support/requires.ts'
import { directoryOf, keyOf, startRecordOf } from '../support/task-key.ts'
import { withWorkbench } from '../support/workbench.ts'

const MiB = 1024 * 1024
const diskBytes = 4 * MiB

const rowOf = (task: Executor) => task.enforcement.find(({ name }) => name === 'diskBytes')

/** A loop device goes a moment after its last mount. */
const nothingLeft = (stateDir: string): Promise<void> =>
  eventually(() => {
    assert.deepEqual(loopsOf(stateDir), [])
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(stateDir))
  })

describe('diskBytes', () => {
  before(function () {
    requires(this, 'root', 'linux', 'native', 'disk')
  })

  it('is a file system of its own, of which destroy() leaves nothing', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'echo kept >$HOLDFAST_TASK_DIR/file; stat -c "%n %a %u" /local /alloc /alloc/*',
      )
      const plain = bench.shell('stat -c "%n %a %u" /local /alloc /alloc/*')
      await task.limit({ diskBytes })
      assert.equal(await outputOf(task), await outputOf(plain))
      assert.equal(rowOf(task)?.status, 'enforced')
      assert.equal(rowOf(task)?.requested, `${diskBytes}`)
      const root = join(bench.stateDir, 'allocs', keyOf(task))
      // What it has left is seen on the host, and nothing but its own.
      assert.equal(readFileSync(join(root, 'sh', 'local', 'file'), 'latin1'), 'kept\n')
      assert.ok(!existsSync(join(root, 'lost+found')))
      assert.equal(loopsOf(bench.stateDir).length, 1)
      assert.deepEqual((await audit({ stateDir: bench.stateDir })).leftovers, [])
      await task.destroy()
      await nothingLeft(bench.stateDir)
    }))

  it('is let go of while tasks that were started meanwhile run on', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ diskBytes })
      await task.start()
      const others = [bench.command('/bin/sleep', '1000'), bench.command('/bin/sleep', '1000')]
      await others[0]?.limit({ diskBytes })
      for (const other of others) await other.start()
      assert.equal(loopsOf(bench.stateDir).length, 2)
      await task.destroy()
      await eventually(() => assert.equal(loopsOf(bench.stateDir).length, 1))
      for (const other of others) assert.equal(other.state, 'running')
    }))

  it('holds for a second command inside', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; sleep 1000')
      await task.limit({ diskBytes })
      await task.start()
      await untilOutput(task, 'ready')
      const second = bench.exec(task, '/bin/sh', '-c', 'dd if=/dev/zero of=/local/x bs=64k count=512 2>&1')
      assert.match(await outputOf(second), /No space left on device/)
    }))

  it('of a running task does not shrink, and what has none cannot have it', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ diskBytes })
      await task.start()
      await refuses(task.update({ diskBytes: diskBytes / 2 }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`^diskBytes: got ${diskBytes / 2}, takes ${diskBytes} or more`),
      })
      const without = bench.command('/bin/sleep', '1000')
      await without.start()
      await refuses(without.update({ diskBytes }), { code: 'UNSUPPORTED', message: /diskBytes/ })
    }))

  it('is taken over with the task by a later supervisor', () =>
    withWorkbench('linux', async bench => {
      const script = 'until [ -e /local/go ]; do sleep 0.02; done; echo went'
      const { stdout } = await startFixture('disk.ts', {
        stateDir: bench.stateDir,
        arguments: [`${diskBytes}`, script],
      })
      const task = await bench.supervisor.open(stdout.trim())
      assert.equal(rowOf(task)?.status, 'enforced')
      writeFileSync(join(bench.stateDir, 'allocs', keyOf(task), 'sh', 'local', 'go'), '')
      assert.equal((await task.wait()).exitCode, 0)
      assert.equal(await output(task), 'went\n')
      await task.destroy()
      await nothingLeft(bench.stateDir)
    }))

  for (const point of [
    ...['directories-planned', 'intent-written', ...diskPoints],
    ...['request-sent', 'started-received', 'running-saved'],
  ])
    it(`of a supervisor that is killed at ${point}: its successor removes all of it`, () =>
      withWorkbench('linux', async bench => {
        const { stateDir } = bench
        for (const task of await foundAfter(bench, point, diskBytes)) {
          const { exitCode } = await task.wait()
          // A request that was just sent may have been carried out, or not.
          const ran = ['started-received', 'running-saved'].includes(point)
          if (point !== 'request-sent') assert.equal(exitCode, ran ? 3 : null)
          await task.destroy()
        }
        await nothingLeft(stateDir)
      }))

  for (const point of ['destroy-begun', 'destroy-allocation-removed', 'destroy-records-removed'])
    it(`of a supervisor that is killed at ${point}: another destroys the task`, () =>
      withWorkbench('linux', async bench => {
        const { stateDir } = bench
        const [task] = await foundAfter(bench, point, diskBytes, ['destroy'])
        assert.equal((await task?.wait())?.exitCode, 3)
        await task?.destroy()
        await nothingLeft(stateDir)
      }))

  it('of a task whose stored state is of no use: discard() removes it', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/true')
      await task.limit({ diskBytes })
      await task.start()
      await task.wait()
      const key = keyOf(task)
      await bench.supervisor.close()
      writeFileSync(join(directoryOf(task), 'task.json'), '{')
      const next = bench.another()
      await next.discard(key)
      await nothingLeft(bench.stateDir)
    }))

  it('shows what an ended task has left after the host was started anew, to be read only', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo said')
      await task.limit({ diskBytes })
      await task.start()
      await task.wait()
      const record = startRecordOf(task)
      const [key, dir] = [keyOf(task), directoryOf(task)]
      await bench.supervisor.close()
      const root = join(bench.stateDir, 'allocs', key)
      // As after a start of the host: nothing is mounted, and the record is of another life.
      // A shim that is about to exit holds it still.
      await eventually(() => void execFileSync('umount', [root], { stdio: 'ignore' }))
      writeFileSync(join(dir, 'start.json'), JSON.stringify({ ...record, bootId: '0'.repeat(8) }))
      const next = bench.another()
      await next.openAll()
      const [found] = next.tasks.values()
      assert.ok(found)
      assert.equal(await output(found), 'said\n')
      assert.throws(() => writeFileSync(join(root, 'more'), ''), { code: 'EROFS' })
      await found.destroy()
      await nothingLeft(bench.stateDir)
    }))

  it('of an allocation of the caller: the row says why it does not hold, and strict refuses', () =>
    withWorkbench('linux', async bench => {
      const alloc = new AllocDir(join(bench.directory('alloc'), 'shared'))
      await alloc.build(['web'])
      const prepared = async (supervisor: Supervisor) => {
        const task = bench.commandOf(supervisor, '/bin/true')
        await task.configureTaskDir('web', alloc)
        await task.limit({ diskBytes })
        return task
      }
      const task = await prepared(bench.supervisor)
      await task.start()
      assert.equal(rowOf(task)?.status, 'skipped')
      assert.match(rowOf(task)?.reason ?? '', /the caller's/)
      await refuses((await prepared(bench.another({ strict: true }))).start(), { message: /diskBytes/ })
    }))

  it('of a log that lies elsewhere: it is not counted, and the row says so', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/true')
      task.command.stdout = join(bench.directory('log'), 'out')
      await task.limit({ diskBytes })
      await task.start()
      assert.equal(rowOf(task)?.status, 'weakened')
      assert.match(rowOf(task)?.reason ?? '', /^stdout/)
    }))

  it('takes as much of the disk of the host as the task has stored', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/true')
      await task.limit({ diskBytes: 1024 ** 3 })
      await task.start()
      const { size, blocks } = statSync(join(directoryOf(task), 'disk.img'))
      assert.equal(size, 1024 ** 3)
      assert.ok(blocks * 512 < 1024 ** 2)
    }))
})

describe('diskBytes on an executor without limits', () => {
  it('is a row that says so', () =>
    withWorkbench('basic', async bench => {
      const task = bench.command('/bin/echo')
      await task.limit({ diskBytes })
      await task.start()
      assert.equal(rowOf(task)?.status, 'skipped')
    }))
})
