import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Executor } from '../../../src/index.ts'
import { isRoot } from '../../support/identity.ts'
import { outputOf, untilOutput } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import { asRoot, requires } from '../../support/requires.ts'
import { withFilesystem } from '../../support/small-filesystem.ts'
import { type Workbench, withWorkbench } from '../../support/workbench.ts'

/** Whose workspaces are, where the test may choose. */
const somebody = 64_911

describe('a workspace', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('is the working directory at its own path, its files the task’s inside and its owner’s outside', () =>
    withWorkbench('linux', async bench => {
      const { workspace, owner } = project(bench)
      const task = working(
        bench,
        workspace,
        'pwd; stat -c %u . file; id -u; echo new > made; mkdir dir; echo $HOME',
      )
      const [where, directory, file, user, home] = (await outputOf(task)).trim().split('\n')
      assert.deepEqual([where, home], [workspace, '/local'])
      assert.deepEqual([directory, file], [user, user])
      for (const name of ['made', 'dir']) {
        const { uid, gid } = statSync(join(workspace, name))
        assert.deepEqual({ uid, gid }, owner)
      }
      assert.equal(rowOf(task)?.status, 'enforced')
      assert.equal(rowOf(task)?.requested, workspace)
    }))

  it('of its owner alone is the task’s all the same, below directories that others may not enter', () =>
    withWorkbench('linux', async bench => {
      const { workspace } = project(bench, join('closed', 'project'))
      chmodSync(join(workspace, '..'), 0o700)
      chmodSync(workspace, 0o700)
      assert.equal(await outputOf(working(bench, workspace, 'cat file')), 'text')
    }))

  it('is read-only when asked for so, and `cwd` may be another', () =>
    withWorkbench('linux', async bench => {
      const { workspace } = project(bench)
      const script = `pwd; cat ${workspace}/file; (: > ${workspace}/file) 2>&1 | grep -o Read-only`
      const task = working(bench, workspace, script)
      Object.assign(task.command, { workspace: { path: workspace, readOnly: true }, cwd: '/tmp' })
      assert.equal(await outputOf(task), '/tmp\ntextRead-only\n')
      assert.equal(rowOf(task)?.requested, `${workspace}, read-only`)
    }))

  it('git works in it, and does not ask whose it is', function () {
    if (!existsSync('/usr/bin/git')) this.skip()
    return withWorkbench('linux', async bench => {
      const { workspace, owner } = project(bench)
      execFileSync('git', ['init', '-q', workspace], {
        ...(isRoot && owner),
        env: { PATH: process.env.PATH },
      })
      const who = '-c user.name=a -c user.email=a@b'
      const script = `git status --short; git add file && git ${who} commit -qm first && git log --format=%s`
      assert.equal(await outputOf(working(bench, workspace, `(${script}) 2>&1`)), '?? file\nfirst\n')
    })
  })

  it('is what a command sees that exec() brings into the task, also of a task that was opened again', () =>
    withWorkbench('linux', async bench => {
      const { workspace, owner } = project(bench)
      const task = working(bench, workspace, 'echo ready; while :; do sleep 1; done')
      await task.start()
      await untilOutput(task, 'ready')
      const opened = await bench.another().open(task.id())
      assert.deepEqual(rowOf(opened), rowOf(task))
      const guest = opened.exec('/bin/sh', '-c', 'pwd; cat file; echo > guest')
      assert.equal(await outputOf(guest), `${workspace}\ntext`)
      assert.equal(statSync(join(workspace, 'guest')).uid, owner.uid)
      assert.equal(guest.enforcement.find(({ name }) => name === 'workspace')?.status, 'enforced')
      const other = opened.exec('/bin/true')
      other.command.workspace = '/srv'
      await refuses(other.start(), { code: 'INVALID_ARGUMENT', message: /workspace/ })
      await task.forceStop()
    }))

  it('has what is mounted in it, and lies in what is mounted around it', () =>
    withWorkbench('linux', async bench => {
      const { workspace } = project(bench)
      const other = bench.directory('other')
      chmodSync(other, 0o755)
      writeFileSync(join(other, 'x'), 'other')
      const task = working(bench, workspace, 'cat file sub/x; : > cache/y; ls cache')
      for (const name of ['sub', 'cache']) mkdirSync(join(workspace, name))
      task.command.mounts = [{ source: other, target: join(workspace, 'sub'), readOnly: true }]
      task.command.tmpfs = [{ target: join(workspace, 'cache') }, { target: join(workspace, '..') }]
      assert.equal(await outputOf(task), 'textothery\n')
      assert.ok(!existsSync(join(workspace, 'cache', 'y')))
    }))

  for (const [what, path, message] of [
    ['a directory of the system', '/usr', /is refused: it is the system's/],
    ['the directory of all users’ files', '/tmp', /is refused/],
    ['what programs are configured by', '/etc/ssl', /is refused/],
    ['what is the task’s own by that name', '/proc/self', /would lie in \/proc/],
    ['what is not there', '/nowhere/at/all', /does not exist/],
    ['a file', '/etc/passwd', /is not a directory/],
  ] as const)
    it(`is not ${what}`, () =>
      withWorkbench('linux', async bench => {
        await refuses(working(bench, path, 'true').start(), { code: 'INVALID_ARGUMENT', message, hint: /./ })
      }))

  it('is not the state directory, nor in it, nor what holds it; nor the home directory', () =>
    withWorkbench('linux', async bench => {
      for (const path of [bench.stateDir, join(bench.stateDir, 'tasks'), process.env.HOME ?? ''])
        await refuses(working(bench, path, 'true').start(), {
          code: 'INVALID_ARGUMENT',
          message: /is refused/,
        })
    }))

  it('cannot go with a mount on it, nor be read-only in the root of the host', () =>
    withWorkbench('linux', async bench => {
      const { workspace } = project(bench)
      const covered = working(bench, workspace, 'true')
      covered.command.tmpfs = [{ target: `${workspace}/` }]
      await refuses(covered.start(), { code: 'INVALID_ARGUMENT', message: /cannot go with a mount/ })
      const hosts = working(bench, workspace, 'true')
      Object.assign(hosts.command, { root: 'host', workspace: { path: workspace, readOnly: true } })
      await refuses(hosts.start(), { code: 'INVALID_ARGUMENT', message: /readOnly/ })
    }))

  it('in the root of the host is the working directory, and the row says that nothing keeps the task in it', () =>
    withWorkbench('linux', async bench => {
      const { workspace } = project(bench)
      if (isRoot) chmodSync(workspace, 0o755)
      const task = working(bench, workspace, 'pwd')
      task.command.root = 'host'
      assert.equal(await outputOf(task), `${workspace}\n`)
      assert.match(rowOf(task)?.reason ?? '', /nothing keeps it/)
    }))

  it('on the Basic executor is the working directory, and the row says that nothing keeps the task in it', () =>
    withWorkbench('basic', async bench => {
      const { workspace } = project(bench)
      const task = working(bench, workspace, 'pwd')
      assert.equal(await outputOf(task), `${workspace}\n`)
      assert.match(rowOf(task)?.reason ?? '', /nothing keeps it in there/)
      await refuses(working(bench, '/nowhere', 'true').start(), { message: /does not exist/, hint: /-w/ })
    }))

  it(
    'of root’s is the task’s, who is not root',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const { workspace } = project(bench)
        execFileSync('chown', ['-R', '0:0', workspace])
        const task = working(bench, workspace, 'id -u; stat -c %u file; echo > made')
        assert.equal(await outputOf(task), '65534\n65534\n')
        const { uid, gid } = statSync(join(workspace, 'made'))
        assert.deepEqual({ uid, gid }, { uid: 0, gid: 0 })
      }),
    ),
  )

  it(
    'is shown as the files of whatever user the task has, root too',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const { workspace, owner } = project(bench)
        for (const user of ['root', 4242]) {
          const task = working(bench, workspace, `stat -c %u file; echo > by-${user}`, { user })
          assert.equal(await outputOf(task), user === 'root' ? '0\n' : '4242\n')
          assert.equal(statSync(join(workspace, `by-${user}`)).uid, owner.uid)
        }
      }),
    ),
  )

  it(
    'on tmpfs is mapped, with what is mounted beneath it',
    asRoot(() =>
      withFilesystem('size=1m', path =>
        withWorkbench('linux', async bench => {
          const workspace = join(path, 'w')
          mkdirSync(join(workspace, 'nested'), { recursive: true })
          execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'nested', join(workspace, 'nested')])
          try {
            execFileSync('chown', ['-R', `${somebody}:${somebody}`, workspace])
            const task = working(bench, workspace, 'stat -c %u . nested; echo > nested/made')
            assert.equal(await outputOf(task), '65534\n65534\n')
            assert.equal(statSync(join(workspace, 'nested', 'made')).uid, somebody)
          } finally {
            execFileSync('umount', [join(workspace, 'nested')])
          }
        }),
      ),
    ),
  )

  it(
    'on overlay, which cannot be mapped, has the task run as its owner, its guests too, and two rows say so',
    asRoot(() =>
      onOverlay(async workspace => {
        chownSync(workspace, somebody, somebody)
        await withWorkbench('linux', async bench => {
          const task = working(bench, workspace, 'id; echo > made; echo ready; while :; do sleep 1; done')
          await task.start()
          assert.match(
            await untilOutput(task, 'ready'),
            new RegExp(`^uid=${somebody} gid=${somebody} groups=${somebody}\n`),
          )
          assert.equal(statSync(join(workspace, 'made')).uid, somebody)
          for (const name of ['workspace', 'user']) {
            const row = task.enforcement.find(row => row.name === name)
            assert.equal(row?.status, 'weakened', name)
            assert.match(row?.reason ?? '', /overlay does not let/)
          }
          assert.equal(await outputOf(task.exec('id', '-u')), `${somebody}\n`)
          await task.forceStop()
          const strict = bench.another({ strict: true }).executor('linux')
          Object.assign(strict.command, { path: '/bin/true', workspace })
          await refuses(strict.start(), { code: 'ISOLATION_FAILED', hint: /--user/ })
        })
      }),
    ),
  )

  it(
    'of root’s on overlay makes no task root: it may do there what others may, and the row says so',
    asRoot(() =>
      onOverlay(workspace =>
        withWorkbench('linux', async bench => {
          chmodSync(workspace, 0o755)
          const task = working(bench, workspace, 'id -u; (: > made) 2>&1 | grep -o denied')
          assert.equal(await outputOf(task), '65534\ndenied\n')
          assert.equal(rowOf(task)?.status, 'weakened')
          assert.match(rowOf(task)?.hint ?? '', /chown|--user/)
        }),
      ),
    ),
  )
})

function rowOf(task: Executor) {
  return task.enforcement.find(({ name }) => name === 'workspace')
}

function working(bench: Workbench, workspace: string, script: string, more: Partial<Command> = {}): Executor {
  const task = bench.shell(script)
  Object.assign(task.command, { workspace, ...more })
  return task
}

/** A directory with one file; somebody else's, where the test may give it away. */
function project(bench: Workbench, name = 'project') {
  const workspace = join(bench.directory('workspace'), name)
  mkdirSync(workspace, { recursive: true })
  writeFileSync(join(workspace, 'file'), 'text')
  const top = join(workspace, '..')
  if (isRoot) execFileSync('chown', ['-R', `${somebody}:${somebody}`, top])
  const { uid, gid } = statSync(workspace)
  return { workspace, owner: { uid, gid } }
}

async function onOverlay(body: (workspace: string) => Promise<void>): Promise<void> {
  await withFilesystem('size=1m', async path => {
    const [lower, upper, work, workspace] = ['lower', 'upper', 'work', 'merged'].map(name => join(path, name))
    for (const directory of [lower, upper, work, workspace]) mkdirSync(directory ?? '')
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
    execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', workspace ?? ''])
    try {
      await body(workspace ?? '')
    } finally {
      execFileSync('umount', [workspace ?? ''])
    }
  })
}
