import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir, type Command, type Executor } from '../../../src/index.ts'
import { nativeProgram } from '../../../src/spawn/native-program.ts'
import { isRoot } from '../../support/identity.ts'
import { outputOf, untilOutput } from '../../support/output.ts'
import { overlaid, type Project, projectOf, stateOf, wordsOf } from '../../support/overlaid.ts'
import { refuses } from '../../support/refuses.ts'
import { asRoot, requires } from '../../support/requires.ts'
import { withFilesystem } from '../../support/small-filesystem.ts'
import { type Workbench, withWorkbench } from '../../support/workbench.ts'

const files = {
  changed: 'old',
  kept: 'kept',
  removed: 'text',
  'dir/inner': 'inner',
  'dir/other': 'other',
  'gone/one': '1',
  'anew/old': 'old',
}
const script = `
  echo new > changed; rm removed; rm -r gone; echo added > added; mkdir -p sub/deep; echo deep > sub/deep/file
  ln -s ../kept sub/link; rm -r anew; mkdir anew; echo new > anew/new; echo more >> dir/inner; chmod 755 kept`
const expected = [
  'added added',
  'added anew/new',
  'deleted anew/old',
  'changed changed',
  'changed dir/inner',
  'deleted gone directory',
  'changed kept',
  'deleted removed',
  'added sub directory',
  'added sub/deep directory',
  'added sub/deep/file',
  'added sub/link link',
]

function nativePath(): string {
  const found = nativeProgram()
  return 'path' in found ? found.path : assert.fail(found.unavailable)
}

describe('a workspace with an overlay', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('takes what the task changes, tells of it, and nothing of the directory changes before apply()', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const before = stateOf(project.path)
      const task = overlaid(bench, project, `${script}; pwd; id -u; stat -c %u . added changed | sort -u`)
      const [where, user, ...owners] = (await outputOf(task)).trim().split('\n')
      assert.deepEqual([where, owners], [project.path, [user]])
      assert.equal(stateOf(project.path), before)
      assert.deepEqual(wordsOf(await task.changes()), expected)
      const row = task.enforcement.find(({ name }) => name === 'workspace')
      assert.deepEqual([row?.status, row?.requested], ['enforced', `${project.path}, overlay`])
      assert.equal(stateOf(project.path), before)
    }))

  it('puts them in place as the owner’s, once, by another supervisor too, and is empty then', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const task = overlaid(bench, project, script)
      await outputOf(task)
      const opened = await bench.another().open(task.id())
      assert.deepEqual(wordsOf(await opened.apply()), expected)
      const read = (name: string) => readFileSync(join(project.path, name), 'utf8')
      assert.deepEqual(
        ['changed', 'added', 'sub/deep/file', 'anew/new', 'dir/inner', 'dir/other'].map(read),
        ['new\n', 'added\n', 'deep\n', 'new\n', 'innermore\n', 'other'],
      )
      assert.deepEqual(readdirSync(project.path).sort(), [
        ...['added', 'anew', 'changed', 'dir', 'kept', 'sub'],
      ])
      assert.deepEqual(readdirSync(join(project.path, 'anew')), ['new'])
      assert.equal(readlinkSync(join(project.path, 'sub/link')), '../kept')
      assert.equal(statSync(join(project.path, 'kept')).mode & 0o7777, 0o755)
      for (const name of ['changed', 'added', 'sub', 'sub/deep', 'sub/deep/file', 'anew', 'kept']) {
        const { uid, gid } = statSync(join(project.path, name))
        assert.deepEqual({ uid, gid }, project.owner, name)
      }
      assert.deepEqual(await task.changes(), [])
      assert.deepEqual(await task.apply(), [])
    }))

  it('tells of a running task what it has changed by now, and applies it when it has ended', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const task = overlaid(bench, project, 'echo 1 > one; echo ready; while :; do sleep 1; done')
      await task.start()
      await untilOutput(task, 'ready')
      assert.deepEqual(wordsOf(await task.changes()), ['added one'])
      await refuses(task.apply(), {
        code: 'INVALID_STATE',
        message: /apply\(\) is refused: the task is running/,
      })
      assert.equal(await outputOf(task.exec('/bin/sh', '-c', 'cat one; echo 2 > two')), '1\n')
      await task.forceStop()
      assert.deepEqual(wordsOf(await task.apply()), ['added one', 'added two'])
    }))

  it('is forgotten with its task', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const before = stateOf(project.path)
      const task = overlaid(bench, project, `${script}; mkdir -p closed/in; chmod 000 closed/in closed`)
      await outputOf(task)
      await task.destroy()
      assert.equal(stateOf(project.path), before)
      assert.deepEqual(readdirSync(join(bench.stateDir, 'allocs')), [])
    }))

  it('refuses what has changed on the host meanwhile, with all names and nothing put in place, unless forced', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const host = (name: string) => join(project.path, name)
      const task = overlaid(bench, project, `${script}; echo mine > both`)
      await outputOf(task)
      for (const name of ['changed', 'both', 'gone/two', 'kept']) writeFileSync(host(name), 'theirs')
      const before = stateOf(project.path)
      const conflicts = (await task.changes()).filter(({ conflict }) => conflict)
      assert.deepEqual(conflicts.map(({ path }) => path).sort(), ['both', 'changed', 'gone', 'kept'])
      await refuses(task.apply(), {
        code: 'INVALID_STATE',
        message: /(?=.*\bboth\b)(?=.*\bchanged\b)(?=.*\bgone\b)(?=.*\bkept\b)/,
        hint: /force/,
      })
      assert.equal(stateOf(project.path), before)
      await task.apply({ force: true })
      assert.deepEqual([readFileSync(host('changed'), 'utf8'), existsSync(host('gone'))], ['new\n', false])
      await refuses(task.apply({ force: 1 } as never), { code: 'INVALID_ARGUMENT', message: /force/ })
    }))

  it('counts as changed meanwhile what somebody has removed that the task has changed, and not what both did alike', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const task = overlaid(bench, project, 'echo new > changed; rm removed; mv kept moved; echo same > same')
      await outputOf(task)
      for (const name of ['changed', 'removed']) rmSync(join(project.path, name))
      writeFileSync(join(project.path, 'same'), 'same\n', { mode: 0o644 })
      const conflicts = (await task.changes()).filter(({ conflict }) => conflict)
      // What was renamed is a copy of what was there, and in a directory of which names have changed it could
      // be what somebody has removed.
      assert.deepEqual(conflicts.map(({ path }) => path).sort(), ['changed', 'moved'])
    }))

  describe('whose apply was killed', () => {
    const left = (path: string) => readdirSync(path).filter(name => name.startsWith('.holdfast-'))
    const state = (bench: Workbench, { key }: Executor) => join(bench.stateDir, 'allocs', key, 'overlay')
    /** By the kernel, in the middle of a file. */
    const killed = async (bench: Workbench, project: Project): Promise<Executor> => {
      const task = overlaid(bench, project, 'mkdir sub; head -c 3000000 /dev/urandom > sub/large')
      await outputOf(task)
      const args = ['overlay', 'apply', state(bench, task), project.path]
      const { signal } = spawnSync('prlimit', ['--fsize=1000000', nativePath(), ...args])
      assert.equal(signal, 'SIGXFSZ')
      assert.equal(left(join(project.path, 'sub')).length, 1)
      return task
    }

    it('goes on with the next, which takes away what that has left', () =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, {})
        const task = await killed(bench, project)
        assert.deepEqual(wordsOf(await task.apply()), ['changed sub directory', 'added sub/large'])
        assert.deepEqual(readdirSync(join(project.path, 'sub')), ['large'])
        const { uid, mode, size } = statSync(join(project.path, 'sub/large'))
        assert.deepEqual([uid, mode & 0o777, size], [project.owner.uid, 0o644, 3_000_000])
        const { uid: owner, mode: own } = statSync(join(project.path, 'sub'))
        assert.deepEqual([owner, own & 0o777], [project.owner.uid, 0o755])
        assert.ok(!existsSync(join(state(bench, task), 'unfinished')))
      }))

    it('leaves nothing when its task goes, be it a file, a link or a directory, and takes nothing else', () =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, { 'dir/.holdfast-mine': '', '.holdfast-0000000000000001': '' })
        const task = await killed(bench, project)
        await task.destroy()
        assert.deepEqual(readdirSync(join(project.path, 'sub')), [])
        const dir = join(project.path, 'dir')
        const ways = [(path: string) => symlinkSync('/etc', path), (path: string) => mkdirSync(path)]
        for (const make of ways) {
          const other = overlaid(bench, project, 'echo x > x')
          await outputOf(other)
          make(join(dir, '.holdfast-0000000000000002'))
          writeFileSync(join(state(bench, other), 'unfinished'), 'dir/.holdfast-0000000000000002\0longer')
          await other.destroy()
          assert.deepEqual(left(dir), ['.holdfast-mine'])
        }
        assert.deepEqual(left(project.path), ['.holdfast-0000000000000001'])
      }))
  })

  it('is not there to be read-only, nor in the root of the host, nor for the Basic executor, nor over mounts', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const asked: readonly Partial<Command>[] = [
        { workspace: { path: project.path, overlay: true, readOnly: true } },
        { root: 'host' },
        { namespaces: { mount: false } },
        { workspace: { path: project.path, overlay: 1 as never } },
      ]
      for (const more of asked)
        await refuses(overlaid(bench, project, 'true', more).start(), {
          code: 'INVALID_ARGUMENT',
          message: /overlay/,
        })
      const basic = bench.supervisor.executor('basic')
      Object.assign(basic.command, { path: '/bin/true', workspace: { path: project.path, overlay: true } })
      await refuses(basic.start(), { code: 'UNSUPPORTED', message: /workspace.overlay/, hint: /linux/i })
      const plain = bench.shell('true')
      plain.command.workspace = project.path
      await outputOf(plain)
      for (const call of [plain.changes(), plain.apply()])
        await refuses(call, { code: 'INVALID_STATE', message: /no overlay/, hint: /--overlay/ })
    }))

  it(
    'is refused over a directory in which something is mounted, and where what it changes has no place',
    asRoot(() =>
      withFilesystem('size=8m', path =>
        withWorkbench('linux', async bench => {
          const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map(name =>
            join(path, name),
          )
          for (const directory of [lower, upper, work, merged]) mkdirSync(directory ?? '')
          const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`
          execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', merged ?? ''])
          try {
            await refuses(overlaid(bench, { path }, 'true').start(), {
              code: 'INVALID_ARGUMENT',
              message: new RegExp(`mounted in it.*: ${merged}`),
            })
            const project = projectOf(bench, files)
            const there = bench.another({ stateDir: join(merged ?? '', 'state') })
            const task = there.executor('linux')
            Object.assign(task.command, {
              path: '/bin/true',
              workspace: { path: project.path, overlay: true },
            })
            await refuses(task.start(), { stage: 'overlay', message: /overlay/, hint: /state directory/ })
            await task.destroy()
            await there.close()
          } finally {
            execFileSync('umount', [merged ?? ''])
          }
        }),
      ),
    ),
  )

  it('lies in the directory of a task whose allocation is the caller’s, too', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const alloc = new AllocDir(join(bench.directory('alloc'), 'own'))
      await alloc.build(['web'])
      const task = overlaid(bench, project, 'echo x > added')
      await task.configureTaskDir('web', alloc)
      await outputOf(task)
      assert.deepEqual(wordsOf(await task.apply()), ['added added'])
      await task.destroy()
      assert.deepEqual(readdirSync(join(bench.stateDir, 'allocs')), [])
      await alloc.destroy()
    }))

  it(
    'over a directory of root’s is the task’s, and what is put in place is root’s',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, files, 0)
        const task = overlaid(bench, project, 'id -u; stat -c %u changed; echo new > changed; echo > added')
        assert.equal(await outputOf(task), '65534\n65534\n')
        await task.apply()
        for (const name of ['changed', 'added']) assert.equal(statSync(join(project.path, name)).uid, 0)
      }),
    ),
  )

  it('has the task’s changes also in a directory that others share, with its group', function () {
    if (!isRoot) this.skip()
    return withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      mkdirSync(join(project.path, 'shared'))
      chownSync(join(project.path, 'shared'), project.owner.uid, 4_242)
      chmodSync(join(project.path, 'shared'), 0o2775)
      const task = overlaid(bench, project, 'echo > shared/file; mkdir shared/dir')
      await outputOf(task)
      await task.apply()
      const [file, directory] = ['shared/file', 'shared/dir'].map(name => statSync(join(project.path, name)))
      assert.deepEqual([file?.gid, directory?.gid, (directory?.mode ?? 0) & 0o7777], [4_242, 4_242, 0o2755])
    })
  })
})
