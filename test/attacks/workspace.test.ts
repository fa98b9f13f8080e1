import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../src/index.ts'
import { isRoot } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { refuses } from '../support/refuses.ts'
import { asRoot, requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, verdicts } from './hostile.ts'

/** Whose workspace it is. */
const owner = isRoot ? 64_912 : (process.geteuid?.() ?? 0)

describe('attack: a workspace', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  it('no call leaves a set-user-ID or set-group-ID program in it', () =>
    withWorkbench('linux', async bench => {
      const workspace = workspaceOf(bench)
      const seen = await verdicts(attacker(bench, 'set_id', [workspace], { workspace }))
      assert.deepEqual(
        Object.entries(seen).filter(([, verdict]) => verdict === 'ok'),
        [],
      )
      assert.ok(Object.keys(seen).length >= 25, JSON.stringify(seen))
    }))

  it('control: without the filter chmod leaves one, of the directory’s owner, and the row says so; in a directory of root’s it is refused', () =>
    withWorkbench('linux', async bench => {
      const workspace = workspaceOf(bench)
      const task = working(bench, workspace, 'cp /usr/bin/id id && chmod 4755 id; echo $?', {
        seccomp: 'off',
      })
      assert.equal(await outputOf(task), '0\n')
      const { uid, mode } = statSync(join(workspace, 'id'))
      assert.deepEqual([uid, mode & 0o7777], [owner, 0o4755])
      const row = task.enforcement.find(({ name }) => name === 'workspace')
      assert.deepEqual([row?.status, row?.chosen], ['weakened', true])
      assert.match(row?.reason ?? '', /set-user-ID/)
      if (!isRoot) return
      chownSync(workspace, 0, 0)
      await refuses(working(bench, workspace, 'true', { seccomp: 'off' }).start(), {
        code: 'INVALID_ARGUMENT',
        message: /set-user-ID/,
      })
    }))

  it(
    'a program of root’s that runs as root stays as it is in a directory of root’s, also by a shared mapping, a name of its own, or in another place',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const workspace = workspaceOf(bench, 0)
        const victims = [
          join(workspace, 'sudo'),
          join(workspace, 'a', 'b', 'ping'),
          join(workspace, 'a', 'group'),
        ]
        mkdirSync(join(workspace, 'a', 'b'), { recursive: true })
        for (const victim of victims) copyFileSync('/bin/true', victim)
        execFileSync('chmod', ['4755', victims[0] ?? ''])
        execFileSync('setcap', ['cap_net_raw+ep', victims[1] ?? ''])
        execFileSync('chmod', ['2755', victims[2] ?? ''])
        execFileSync('chown', ['-R', '0:0', join(workspace, 'a', 'b')])
        execFileSync('setcap', ['cap_net_raw+ep', victims[1] ?? ''])
        writeFileSync(join(workspace, 'plain'), Buffer.alloc(4096))
        const moved = working(bench, workspace, 'ln sudo other; mv a moved; mv moved a; rm -f sudo; ls; true')
        assert.equal(await outputOf(moved), 'a\nplain\nsudo\n')
        const seen = await verdicts(
          attacker(bench, 'mapped_write', [...victims, join(workspace, 'plain')], { workspace }),
        )
        assert.deepEqual(seen, {
          ...Object.fromEntries(victims.map(victim => [victim, 'EROFS'])),
          // Control: what runs with nobody's rights is the task's to change.
          [join(workspace, 'plain')]: 'ok',
        })
        for (const victim of victims) assert.deepEqual(readFileSync(victim), readFileSync('/bin/true'))
        assert.equal(readFileSync(join(workspace, 'plain')).subarray(0, 6).toString(), 'stolen')
      }),
    ),
  )

  it(
    'control: such a mapping changes a program and leaves it its rights, where nothing keeps it',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const workspace = workspaceOf(bench)
        const program = join(workspace, 'program')
        copyFileSync('/bin/true', program)
        chownSync(program, owner, owner)
        chmodSync(program, 0o4755)
        assert.equal(
          (await verdicts(attacker(bench, 'mapped_write', [program], { workspace })))[program],
          'ok',
        )
        assert.equal(statSync(program).mode & 0o7777, 0o4755)
      }),
    ),
  )

  it(
    'what root, or anybody else, has in a user’s directory is no more the task’s than the user’s, nobody’s own neither',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const workspace = workspaceOf(bench)
        for (const [name, uid, mode] of [
          ['roots', 0, 0o644],
          ['secret', 0, 0o600],
          ['nobodys', 65_534, 0o600],
          ['owners', owner, 0o600],
        ] as const) {
          writeFileSync(join(workspace, name), name)
          chownSync(join(workspace, name), uid, uid)
          chmodSync(join(workspace, name), mode)
        }
        const script = 'for f in roots secret nobodys owners; do cat $f && echo stolen > $f; done 2>/dev/null'
        assert.equal(await outputOf(working(bench, workspace, script)), 'rootsowners')
        for (const name of ['roots', 'secret', 'nobodys'])
          assert.equal(readFileSync(join(workspace, name), 'utf8'), name)
        assert.equal(readFileSync(join(workspace, 'owners'), 'utf8'), 'stolen\n')
        // As root by name it has root's own files there neither: the owner's are root's to it, and root's the
        // owner's.
        const root = working(bench, workspace, 'cat secret 2>/dev/null; cat owners', { user: 'root' })
        assert.equal(await outputOf(root), 'stolen\n')
      }),
    ),
  )

  it('links out of it lead nowhere, and names outside it cannot be linked into it', () =>
    withWorkbench('linux', async bench => {
      const workspace = workspaceOf(bench)
      const victim = join(workspace, '..', 'victim')
      writeFileSync(victim, 'kept', { mode: 0o666 })
      chmodSync(victim, 0o666)
      symlinkSync(victim, join(workspace, 'absolute'))
      symlinkSync('../victim', join(workspace, 'relative'))
      const script = `
        for f in absolute relative ../victim /proc/self/cwd/../victim; do echo stolen > $f; cat $f; done
        ln ../victim hard; ln /etc/passwd etc; ls ..; true`
      const seen = await outputOf(working(bench, workspace, `(${script}) 2>/dev/null`))
      // What an ordinary user's task makes beside it is in its own /tmp.
      assert.ok(!seen.includes('kept'), seen)
      assert.equal(readFileSync(victim, 'utf8'), 'kept')
      assert.deepEqual(
        [existsSync(join(workspace, 'hard')), existsSync(join(workspace, 'etc'))],
        [false, false],
      )
      // Control: on the Basic executor nothing keeps it in.
      const free = bench.supervisor.executor('basic')
      Object.assign(free.command, { path: '/bin/sh', args: ['-c', 'echo stolen > relative'], workspace })
      await free.start()
      await free.wait()
      assert.equal(readFileSync(victim, 'utf8'), 'stolen\n')
    }))

  it(
    'a device node in it opens nothing, for a task of root neither, and none can be made',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const workspace = workspaceOf(bench, 0)
        execFileSync('mknod', ['-m', '0666', join(workspace, 'null'), 'c', '1', '3'])
        // Control: the host opens it.
        assert.equal(readFileSync(join(workspace, 'null'), 'utf8'), '')
        for (const user of ['root', 'nobody']) {
          const script =
            '(: > null) 2>&1 | grep -o "Permission denied"; mknod new c 1 3 2>/dev/null || echo none'
          const task = working(bench, workspace, script, { user })
          assert.equal(await outputOf(task), 'Permission denied\nnone\n')
        }
      }),
    ),
  )

  it('a set-user-ID program in it gives a task nothing, though it may gain privileges', () =>
    withWorkbench('linux', async bench => {
      const workspace = workspaceOf(bench, isRoot ? 0 : owner)
      copyFileSync('/usr/bin/id', join(workspace, 'id'))
      if (isRoot) chownSync(join(workspace, 'id'), 0, 0)
      chmodSync(join(workspace, 'id'), 0o4755)
      const task = working(bench, workspace, './id', { noNewPrivileges: false })
      assert.doesNotMatch(await outputOf(task), /euid/)
      assert.equal(lstatSync(join(workspace, 'id')).mode & 0o7777, 0o4755)
    }))
})

function working(bench: Workbench, workspace: string, script: string, more: Partial<Command> = {}) {
  const task = bench.shell(script)
  Object.assign(task.command, { workspace, ...more })
  return task
}

function workspaceOf(bench: Workbench, uid = owner): string {
  const top = bench.directory('workspace')
  const workspace = join(top, 'project')
  mkdirSync(workspace)
  if (isRoot) for (const path of [top, workspace]) chownSync(path, uid, uid)
  return workspace
}
