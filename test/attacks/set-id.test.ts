import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../src/index.ts'
import { taskUsers } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, verdicts } from './hostile.ts'

/** The kernel itself has no such bits for these, or wants a capability. */
const neverMade: Readonly<Record<string, string>> = {
  'mkdir-uid': 'ENODATA',
  'mkdir-gid': 'ENODATA',
  'file-capability': 'EPERM',
}

describe('attack: set-user-ID and set-group-ID programs, left in a directory of the host', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const user of taskUsers)
    it(`cannot be made there by any call (user ${user})`, () =>
      withWorkbench('linux', async bench => {
        const seen = await attempts(bench, { user })
        const made = Object.entries(seen).filter(([name, verdict]) => verdict !== expected(name))
        assert.deepEqual(made, [])
        assert.ok(Object.keys(seen).length >= 25, JSON.stringify(seen))
      }))

  it('nor by what exec() brings into the task', () =>
    withWorkbench('linux', async bench => {
      const shared = sharedDirectory(bench)
      const task = bench.shell('while :; do sleep 1; done')
      Object.assign(task.command, { user: taskUsers.at(-1), mounts: mountsOf(shared) })
      await task.start()
      const session = task.exec('/tmp/hostile/set_id', '/tmp/shared')
      const seen = await verdicts(session)
      assert.deepEqual(
        Object.entries(seen).filter(([name, verdict]) => verdict !== expected(name)),
        [],
      )
      await task.forceStop()
    }))

  it('control: without the filter nearly every call makes one, which is root for any user of the host', async function () {
    requires(this, 'root')
    await withWorkbench('linux', async bench => {
      const seen = await attempts(bench, { user: 'root', seccomp: 'off' })
      const made = Object.keys(seen).filter(name => seen[name] === 'ok')
      for (const call of [
        'chmod',
        'fchmod',
        'fchmodat',
        'creat',
        'open',
        'openat',
        'mknod',
        'mknodat',
        'tmpfile',
      ])
        for (const id of ['uid', 'gid']) assert.ok(made.includes(`${call}-${id}`), `${call}-${id}`)
      for (const [name, verdict] of Object.entries(neverMade)) assert.equal(seen[name], verdict, name)
      const shared = sharedDirectory(bench)
      const task = bench.shell('cp /usr/bin/id /tmp/shared/id && chmod 6755 /tmp/shared/id; echo $?')
      Object.assign(task.command, { user: 'root', seccomp: 'off', mounts: mountsOf(shared) })
      assert.equal(await outputOf(task), '0\n')
      const said = execFileSync(join(shared, 'id'), { uid: 4242, gid: 4242, encoding: 'utf8' })
      assert.match(said, /euid=0/)
    })
  })

  it('with it, what a task of root leaves there is a plain program', async function () {
    requires(this, 'root')
    await withWorkbench('linux', async bench => {
      const shared = sharedDirectory(bench)
      const task = bench.shell(
        'cp /usr/bin/id /tmp/shared/id && chmod 6755 /tmp/shared/id 2>/dev/null; echo $?',
      )
      Object.assign(task.command, { user: 'root', mounts: mountsOf(shared) })
      assert.equal(await outputOf(task), '1\n')
      assert.equal(statSync(join(shared, 'id')).mode & 0o6000, 0)
    })
  })

  it('ordinary modes are given as always, in the sticky directories of many users too', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'cd /local && umask 022 && : > file && chmod 0640 file && mkdir -m 1777 dir && mkfifo -m 0600 fifo && stat -c %a file dir fifo',
      )
      assert.equal(await outputOf(task), '640\n1777\n600\n')
    }))
})

function expected(name: string): string {
  return neverMade[name] ?? (/^openat2/.test(name) ? 'ENOSYS' : 'EPERM')
}

function attempts(bench: Workbench, loosened: Partial<Command>): Promise<Record<string, string>> {
  const mounts = mountsOf(sharedDirectory(bench))
  return verdicts(attacker(bench, 'set_id', ['/tmp/shared'], { mounts, ...loosened }))
}

/** A directory of the host that all its users reach. */
function sharedDirectory(bench: Workbench): string {
  const parent = bench.directory('shared')
  chmodSync(parent, 0o755)
  const shared = join(parent, 'writable')
  mkdirSync(shared)
  chmodSync(shared, 0o777)
  return shared
}

function mountsOf(shared: string) {
  return [
    { source: join(compiled('set_id'), '..'), target: '/tmp/hostile', readOnly: true },
    { source: shared, target: '/tmp/shared' },
  ]
}
