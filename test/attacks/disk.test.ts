import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor, setCommand } from '../../src/index.ts'
import { diskAttacks } from '../support/disk-attacks.ts'
import { taskUsers } from '../support/identity.ts'
import { output } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withFilesystem } from '../support/small-filesystem.ts'
import { directoryOf, keyOf } from '../support/task-key.ts'
import { withWorkbench } from '../support/workbench.ts'

const MiB = 1024 * 1024

/** What of a directory lies on the disk, as the host sees it. */
const storedIn = (directory: string): number =>
  Number(execFileSync('du', ['-sk', directory], { encoding: 'utf8' }).split('\t')[0]) * 1024

describe('attack: filling the disk of the host', () => {
  before(function () {
    requires(this, 'root', 'linux', 'native', 'disk')
  })

  for (const user of taskUsers)
    for (const [how, script] of Object.entries(diskAttacks))
      it(`${how}, as ${user}: the task stores no more than its diskBytes`, () =>
        withWorkbench('linux', async bench => {
          const task = bench.shell(script)
          task.command.user = user
          await task.limit({ diskBytes: 8 * MiB })
          await task.start()
          assert.equal(task.enforcement.find(({ name }) => name === 'diskBytes')?.status, 'enforced')
          assert.ok(((await task.wait()).exitCode ?? 0) > 0)
          assert.ok(storedIn(join(bench.stateDir, 'allocs', keyOf(task))) <= 8 * MiB)
          assert.ok(storedIn(directoryOf(task)) <= 9 * MiB)
          // The control: not limited, it goes on.
          const free = bench.shell(script)
          free.command.user = user
          await free.start()
          assert.equal((await free.wait()).exitCode, 0)
        }))

  it('by its logs: what does not fit is dropped and counted, and the task goes on', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('head -c 8000000 /dev/zero; echo said >&2; exit 7')
      await task.limit({ diskBytes: 2 * MiB })
      await task.start()
      const { exitCode, limitsHit, cause } = await task.wait()
      assert.deepEqual([exitCode, cause], [7, 'exited'])
      assert.ok((limitsHit.logBytesDropped ?? 0) > 5_000_000)
      assert.ok((await output(task)).length <= 2 * MiB)
    }))

  it('what the host and the other tasks have is as it was; without diskBytes, nothing is left of it', () =>
    withFilesystem('size=64m', async stateDir => {
      const supervisor = new Supervisor({ stateDir })
      const fill = (name: string) => {
        const task = supervisor.command('/bin/sh')
        setCommand(task, '/bin/sh', ['-c', `dd if=/dev/zero of=/local/${name} bs=64k count=2048; :`])
        return task
      }
      const bounded = fill('bounded')
      await bounded.limit({ diskBytes: 8 * MiB })
      await bounded.start()
      await bounded.wait()
      const { bavail, bsize } = statfsSync(stateDir)
      assert.ok(bavail * bsize > 50 * MiB)
      const other = supervisor.command(
        '/bin/sh',
        '-c',
        'dd if=/dev/zero of=/local/other bs=1M count=40 || exit 1',
      )
      await other.start()
      assert.equal((await other.wait()).exitCode, 0)
      await other.destroy()
      await bounded.destroy()
      assert.ok(statfsSync(stateDir).bavail >= bavail)
      // The control.
      const control = fill('control')
      await control.start()
      await control.wait()
      assert.equal(statfsSync(stateDir).bavail, 0)
      await control.destroy()
      await supervisor.close()
    }))

  it('what it removes is given back to the host', () =>
    withFilesystem('size=64m', async stateDir => {
      const supervisor = new Supervisor({ stateDir })
      const script = 'dd if=/dev/zero of=/local/one bs=1M count=24 && sync && rm /local/one && sync'
      const task = supervisor.command('/bin/sh', '-c', script)
      await task.limit({ diskBytes: 32 * MiB })
      await task.start()
      assert.equal((await task.wait()).exitCode, 0)
      const { bavail, bsize } = statfsSync(join(stateDir, 'tasks'))
      assert.ok(bavail * bsize > 56 * MiB)
      await task.destroy()
      await supervisor.close()
    }))
})
