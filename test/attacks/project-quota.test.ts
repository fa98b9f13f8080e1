import { strict as assert } from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../src/index.ts'
import { giveProject } from '../../src/spawn/project.ts'
import { diskAttacks } from '../support/disk-attacks.ts'
import { taskUsers } from '../support/identity.ts'
import { output } from '../support/output.ts'
import { mountProjectQuota } from '../support/project-quota.ts'
import { requires } from '../support/requires.ts'
import { keyOf } from '../support/task-key.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'
import { nativePath } from './hostile.ts'
import { withWorkbench, type Workbench } from '../support/workbench.ts'

const MiB = 1024 * 1024
const diskBytes = 8 * MiB

/** The machines that have project quotas may be emulated: few of them, and few files. */
const attacks: Readonly<Record<string, string>> = {
  'in both directories': diskAttacks['in both directories'] ?? '',
  'in the holes of a sparse file': diskAttacks['in the holes of a sparse file'] ?? '',
  'in a file that has no name': diskAttacks['in a file that has no name'] ?? '',
  'in files that are empty': 'i=0; while [ $i -lt 2100 ]; do : >/local/$i || exit; i=$((i+1)); done',
}

/** What of a directory lies on the disk, as the host sees it. */
const storedIn = (directory: string): number =>
  Number(execFileSync('du', ['-sk', directory], { encoding: 'utf8' }).split('\t')[0]) * 1024

const allocOf = (bench: Workbench, task: Executor) => join(bench.stateDir, 'allocs', keyOf(task))

async function bounded(bench: Workbench, script: string, user = 'nobody'): Promise<Executor> {
  const task = bench.shell(script)
  task.command.user = user
  await task.limit({ diskBytes })
  await task.start()
  assert.equal(task.enforcement.find(({ name }) => name === 'diskBytes')?.status, 'enforced')
  return task
}

describe('attack: filling the disk of the host past a project quota', () => {
  let unmount: (() => void) | undefined

  before(function () {
    requires(this, 'root', 'linux', 'native', 'project-quota')
    ;({ unmount } = mountProjectQuota())
  })
  after(() => unmount?.())

  for (const [how, script] of Object.entries(attacks))
    it(`${how}: the task stores no more than its diskBytes`, () =>
      withWorkbench('linux', async bench => {
        const task = await bounded(bench, script)
        assert.ok(((await task.wait()).exitCode ?? 0) > 0)
        assert.ok(storedIn(allocOf(bench, task)) <= diskBytes)
        // The control: not limited, it goes on.
        const free = bench.shell(script)
        await free.start()
        assert.equal((await free.wait()).exitCode, 0)
      }))

  // What chattr(1) asks for: FS_IOC_FSSETXATTR (a project), FS_IOC_SETFLAGS (no more inherited).
  const leaving = `mkdir mine && : >mine/file && chattr -p 0 mine/file; echo file $?; chattr -p 0 mine; echo project $?
    chattr -P mine; echo inherited $?; dd if=/dev/zero of=mine/big bs=64k count=256; echo wrote $?`

  for (const user of taskUsers)
    it(`by leaving the project, as ${user}: neither files nor directories can`, () =>
      withWorkbench('linux', async bench => {
        const task = await bounded(bench, `cd /local && ${leaving}`, user)
        await task.wait()
        assert.equal(await output(task), 'file 1\nproject 1\ninherited 1\nwrote 1\n')
      }))

  it('control: without the filter whoever owns a file leaves its project', async () => {
    const directory = temporaryDirectory('project')
    try {
      const given = await giveProject(nativePath(), [directory], diskBytes, { known: null, chosen: () => {} })
      assert.ok('number' in given)
      chownSync(directory, 65534, 65534)
      const options = { cwd: directory, uid: 65534, gid: 65534, encoding: 'utf8' } as const
      const { stdout, stderr } = spawnSync('/bin/sh', ['-c', leaving], options)
      assert.equal(stdout, 'file 0\nproject 0\ninherited 0\nwrote 0\n', stderr)
    } finally {
      removeTemporary(directory)
    }
  })

  it('by what it prints: the logs are in the same account', () =>
    withWorkbench('linux', async bench => {
      const script =
        'head -c 12000000 /dev/zero | tr "\\0" x; echo; dd if=/dev/zero of=/local/x bs=64k count=64; exit 7'
      const task = await bounded(bench, script)
      const { exitCode, limitsHit } = await task.wait()
      assert.equal(exitCode, 7)
      assert.ok((limitsHit.logBytesDropped ?? 0) > 3_000_000, String(limitsHit.logBytesDropped))
      assert.ok(storedIn(allocOf(bench, task)) <= diskBytes)
    }))

  it('by a second command inside: it is in the same project', () =>
    withWorkbench('linux', async bench => {
      const task = await bounded(bench, 'sleep 1000')
      const second = bench.exec(
        task,
        '/bin/sh',
        '-c',
        'dd if=/dev/zero of=/local/x bs=64k count=512 2>&1; chattr -p 0 /local/x 2>&1; dd if=/dev/zero of=/local/y bs=64k count=512 2>&1',
      )
      await second.start()
      assert.notEqual((await second.wait()).exitCode, 0)
      // The second is of xfs.
      const full = '(Disk quota exceeded|No space left)'
      assert.match(await output(second), new RegExp(`${full}[^]*not supported[^]*${full}`))
      assert.ok(storedIn(allocOf(bench, task)) <= diskBytes)
    }))

  it('by an overlay, which is written to with the power of root: it gets a file system of its own', () =>
    withWorkbench('linux', async bench => {
      const workspace = bench.directory('workspace')
      const task = bench.shell('dd if=/dev/zero of=big bs=64k count=512')
      task.command.workspace = { path: workspace, overlay: true }
      await task.limit({ diskBytes })
      await task.start()
      assert.ok(((await task.wait()).exitCode ?? 0) > 0)
      assert.ok(storedIn(allocOf(bench, task)) <= diskBytes)
    }))
})
