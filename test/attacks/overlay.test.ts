import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRoot } from '../support/identity.ts'
import { outputOf, untilOutput } from '../support/output.ts'
import { overlaid, projectOf, stateOf, wordsOf } from '../support/overlaid.ts'
import { refuses } from '../support/refuses.ts'
import { asRoot, requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, verdicts } from './hostile.ts'

const files = { file: 'file', 'dir/one': '1', 'dir/two': '2' }

describe('attack: a workspace with an overlay', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('no way to write changes a byte of the directory, and on one without an overlay each does', () =>
    withWorkbench('linux', async bench => {
      const ways = [
        'echo x >> file',
        'printf x | dd of=dir/one conv=notrunc 2>/dev/null',
        'truncate -s 0 dir/two',
        'chmod 600 file',
        'touch -d 2001-01-01 file',
        'mv dir other',
        'ln file hard',
        'rm -rf ./*',
      ]
      const look = 'find . -printf "%p %m %n %s %T@\\n" | sort | cksum'
      const script = [look, ...ways.flatMap(way => [way, look])].join('\n')
      for (const isKept of [true, false]) {
        const project = projectOf(bench, files)
        const before = stateOf(project.path)
        const task = overlaid(bench, project, script)
        if (!isKept) task.command.workspace = project.path
        const seen = (await outputOf(task)).trim().split('\n')
        assert.equal(new Set(seen).size, ways.length + 1, seen.join('\n'))
        assert.equal(stateOf(project.path) === before, isKept)
      }
    }))

  it('marks of the overlay made by hand hide nothing, lead nowhere and are no changes, of special files neither', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const before = readdirSync(join(project.path, 'dir'))
      const workspace = { path: project.path, overlay: true }
      const task = attacker(bench, 'overlay_marks', ['dir', 'file'], { workspace })
      const seen = await verdicts(task)
      assert.ok(Object.keys(seen).length >= 26, JSON.stringify(seen))
      assert.notEqual(seen.whiteout, 'ok')
      assert.deepEqual(
        Object.entries(seen).filter(([name, verdict]) => verdict === 'ok' && /:trusted/.test(name)),
        [],
      )
      const changes = await task.changes()
      assert.deepEqual(wordsOf(changes), ['added fifo other', 'added socket other'])
      assert.deepEqual(await task.apply(), [])
      assert.deepEqual(readdirSync(join(project.path, 'dir')), before)
      assert.deepEqual(readdirSync(project.path).sort(), ['dir', 'file'])
    }))

  it('control: such a mark, where it could be set, is read', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const task = overlaid(bench, project, 'echo 3 > dir/three')
      await outputOf(task)
      const upper = upperOf(bench, task.key)
      execFileSync(compiled('overlay_marks'), ['dir', 'dir/three'], { cwd: upper })
      const changes = (await task.changes()).filter(({ path }) => path.startsWith('dir/'))
      assert.deepEqual(wordsOf(changes), [...['deleted dir/one', 'added dir/three', 'deleted dir/two']])
    }))

  it('links in the place of directories are put there as links, and nothing goes through them', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const victim = victimOf(bench)
      const script = `rm -r dir; ln -s ${victim} dir; rm file; ln -s ${victim}/kept file; ln -s .. up`
      const task = overlaid(bench, project, script)
      await outputOf(task)
      const before = stateOf(victim)
      const told = await task.apply()
      assert.deepEqual(told.map(({ path, type, target }) => [path, type, target]).sort(), [
        ['dir', 'link', victim],
        ['file', 'link', `${victim}/kept`],
        ['up', 'link', '..'],
      ])
      assert.equal(stateOf(victim), before)
      for (const name of ['dir', 'file', 'up'])
        assert.ok(lstatSync(join(project.path, name)).isSymbolicLink(), name)
    }))

  it('a directory of the host’s that somebody has since made a link is not written through', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const victim = victimOf(bench)
      const task = overlaid(bench, project, 'echo new > dir/one; echo new > dir/kept; rm dir/two')
      await outputOf(task)
      const dir = join(project.path, 'dir')
      renameSync(dir, join(project.path, 'moved'))
      symlinkSync(victim, dir)
      const before = stateOf(victim)
      await refuses(task.apply(), { code: 'INVALID_STATE', message: /\bdir\b/ })
      await task.apply({ force: true })
      assert.equal(stateOf(victim), before)
      assert.ok(lstatSync(dir).isDirectory())
      assert.deepEqual(readdirSync(dir).sort(), ['kept', 'one'])
    }))

  it('the directory itself, moved away for another or for a link, is not taken for what it was', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const victim = victimOf(bench)
      const task = overlaid(bench, project, 'echo new > kept')
      await outputOf(task)
      renameSync(project.path, `${project.path}.moved`)
      for (const put of [() => symlinkSync(victim, project.path), () => mkdirSync(project.path)]) {
        put()
        const before = stateOf(victim)
        await assert.rejects(task.apply())
        assert.equal(stateOf(victim), before)
        rmSync(project.path, { recursive: true })
      }
    }))

  it('a task that swaps directories for links while it is looked at shows nothing of the host', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const victim = victimOf(bench)
      const script = `mkdir d; echo 1 > d/f; echo ready
        while :; do mv d e; ln -s ${victim} d; rm d; mv e d; done 2>/dev/null`
      const task = overlaid(bench, project, script)
      await task.start()
      await untilOutput(task, 'ready')
      const told = new Set<string>()
      for (let round = 0; round < 25; round++) for (const { path } of await task.changes()) told.add(path)
      await task.forceStop()
      assert.deepEqual(
        [...told].filter(path => path.includes('kept')),
        [],
      )
    }))

  it('what a second name of a file leads to is not changed with it', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const outside = join(project.path, '..', 'outside')
      linkSync(join(project.path, 'file'), outside)
      const task = overlaid(bench, project, 'echo stolen > file; ln file hard')
      await outputOf(task)
      await task.apply()
      assert.equal(readFileSync(outside, 'utf8'), 'file')
      assert.deepEqual(
        ['file', 'hard'].map(name => statSync(join(project.path, name)).nlink),
        [1, 1],
      )
    }))

  it('names of any bytes and any length are told and put in place; what lies too deep is refused, and goes with the task', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const long = 'n'.repeat(255)
      const names = String.raw`: > "$(printf 'new\nline')"; : > "$(printf 'bad\377byte')"; : > -rf; : > ${long}`
      const task = overlaid(bench, project, names)
      await outputOf(task)
      const told = (await task.apply()).map(({ path }) => path).sort()
      assert.deepEqual(told, ['-rf', 'bad\ufffdbyte', 'new\nline', long].sort())
      const there = readdirSync(project.path, { encoding: 'buffer' }).map(name => name.toString('latin1'))
      for (const name of ['-rf', 'bad\xffbyte', 'new\nline', long]) assert.ok(there.includes(name), name)
      const nest = 'i=0; while [ $i -lt 204 ]; do mkdir d; cd d; i=$((i+1)); done'
      const deep = overlaid(bench, project, nest)
      await outputOf(deep)
      await refuses(deep.apply(), { code: 'INVALID_STATE', message: /deeper than 200/ })
      assert.ok(!existsSync(join(project.path, 'd')))
      await deep.destroy()
    }))

  it('a file that claims to be huge costs what is in it', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const task = overlaid(bench, project, 'truncate -s 1T huge; echo end >> huge')
      await outputOf(task)
      await task.apply()
      const { size, blocks } = statSync(join(project.path, 'huge'))
      assert.equal(size, 2 ** 40 + 4)
      assert.ok(blocks < 1024, `${blocks} blocks`)
    }))

  it('nothing that runs with its owner’s rights is left, where the filter does not keep it from being made', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files, isRoot ? 0 : undefined)
      const script = 'cp /usr/bin/id id; chmod 6755 id; chmod 1777 dir; mkdir own; chmod 7777 own; ls -ld id'
      const task = overlaid(bench, project, script, { seccomp: 'off' })
      // Control: it was.
      assert.match(await outputOf(task), /^-rwsr-sr-x/)
      await task.apply()
      for (const [name, mode] of [
        ['id', 0o755],
        ['dir', 0o777],
        ['own', 0o777],
      ] as const)
        assert.equal(statSync(join(project.path, name)).mode & 0o7777, mode, name)
    }))

  it(
    'of devices that root has made in it none is put in place',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, files)
        const script = 'mknod null c 1 3 && rm file && mknod file c 1 3; mknod gone c 0 0; ls; cat null'
        const task = overlaid(bench, project, script, {
          user: 'root',
          seccomp: 'off',
          capabilities: ['MKNOD'],
        })
        assert.match(await outputOf(task), /null/)
        assert.deepEqual(wordsOf(await task.changes()), ['changed file other', 'added null other'])
        assert.deepEqual(await task.apply(), [])
        assert.equal(readFileSync(join(project.path, 'file'), 'utf8'), 'file')
      }),
    ),
  )

  it(
    'a task that may mount finds neither the directory nor what holds its changes below the overlay',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const project = projectOf(bench, files)
        const script = `grep -c 'allocs/[^ ]*/overlay' /proc/self/mountinfo; cd /; umount ${project.path} && ls -A ${project.path}; echo x > ${project.path}/new`
        const task = overlaid(bench, project, script, {
          ...{ user: 'root', seccomp: 'off', capabilities: ['SYS_ADMIN'] },
        })
        const before = stateOf(project.path)
        assert.equal((await outputOf(task)).trim(), '0')
        assert.equal(stateOf(project.path), before)
      }),
    ),
  )

  it('what a task changes there counts to its diskBytes', function () {
    requires(this, 'root', 'disk')
    return withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const fill =
        'dd if=/dev/zero of=big bs=64k count=512 2>&1 | grep -o "No space left"; echo new > file || echo none'
      const task = overlaid(bench, project, fill)
      await task.limit({ diskBytes: 8 * 1024 * 1024 })
      assert.match(await outputOf(task), /No space left/)
      const big = (await task.changes()).find(({ path }) => path === 'big')
      assert.ok(big !== undefined && (big.sizeBytes ?? 0) < 8 * 1024 * 1024)
      await task.apply()
      assert.equal(statSync(join(project.path, 'big')).size, big.sizeBytes)
    })
  })
})

const upperOf = (bench: Workbench, key: string): string =>
  join(bench.stateDir, 'allocs', key, 'overlay', 'upper')

/** A directory of the host with a file that everybody may write. */
function victimOf(bench: Workbench): string {
  const victim = bench.directory('victim')
  chmodSync(victim, 0o777)
  writeFileSync(join(victim, 'kept'), 'kept')
  chmodSync(join(victim, 'kept'), 0o666)
  return victim
}
