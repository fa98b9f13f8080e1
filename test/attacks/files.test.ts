import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AllocDir } from '../../src/index.ts'
import { isRoot, strongest, taskUsers, weakest } from '../support/identity.ts'
import { output, outputOf } from '../support/output.ts'
import { asRoot, requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, verdicts } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

describe('attack: the host’s files', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const user of taskUsers)
    it(`${user} finds nothing of the host but the read-only set, by whatever path`, () =>
      withWorkbench('linux', async bench => {
        const secret = join(bench.directory('secret'), 'secret')
        writeFileSync(secret, 'secret', { mode: 0o644 })
        const hidden = [
          '/root',
          '/home',
          '/var',
          '/run',
          '/boot',
          '/sys/kernel',
          '/sys/class',
          '/srv',
          bench.stateDir,
          secret,
        ]
        const climbing = [
          `/local/../../../../../..${secret}`,
          `/proc/self/cwd/..${secret}`,
          `/proc/self/root${secret}`,
        ]
        const seen = await verdicts(attacker(bench, 'opens', ['r', ...hidden, ...climbing], { user }))
        assert.deepEqual(seen, all([...hidden, ...climbing], 'ENOENT'))
      }))

  it('control: in the host’s root the secret is read', () =>
    withWorkbench('linux', async bench => {
      const secret = join(bench.directory('secret'), 'secret')
      writeFileSync(secret, 'secret', { mode: 0o644 })
      assert.deepEqual(await verdicts(attacker(bench, 'opens', ['r', secret], { root: 'host' })), {
        [secret]: 'ok',
      })
    }))

  for (const user of taskUsers)
    it(`${user} sees of another task of the allocation what is shared, and no other allocation`, () =>
      withWorkbench('linux', async bench => {
        const directory = bench.directory('allocs')
        const mine = new AllocDir(join(directory, 'mine'))
        const other = new AllocDir(join(directory, 'other'))
        await mine.build(['spy', 'victim'])
        await other.build(['victim'])
        const places = [
          mine.taskPaths('victim').local,
          mine.path,
          other.path,
          other.taskPaths('victim').local,
        ]
        const spy = attacker(
          bench,
          'opens',
          ['r', ...places, '/local/../victim', '/alloc/../victim', '/victim'],
          { user },
        )
        await spy.configureTaskDir('spy', mine)
        assert.deepEqual(Object.values(await verdicts(spy)), Array(7).fill('ENOENT'))
      }))

  it(
    'under Basic another user than the supervisor’s cannot look into the records or reach the control FIFO',
    asRoot(() =>
      withWorkbench('basic', async bench => {
        const victim = bench.shell('sleep 30')
        await victim.start()
        const [key = ''] = bench.keys()
        const tasks = join(bench.stateDir, 'tasks')
        const control = join(tasks, key, 'control')
        assert.ok(existsSync(control))
        const read = await verdicts(
          attacker(bench, 'opens', ['r', tasks, join(tasks, key, 'task.json')], { user: weakest }),
        )
        assert.deepEqual(Object.values(read), ['EACCES', 'EACCES'])
        const write = await verdicts(attacker(bench, 'opens', ['w', control], { user: weakest }))
        assert.deepEqual(write, { [control]: 'EACCES' })
        assert.equal(victim.state, 'running')
      }),
    ),
  )

  it('the control FIFO does not exist for a task with a root of its own', () =>
    withWorkbench('linux', async bench => {
      const victim = bench.shell('sleep 30')
      await victim.start()
      const [key = ''] = bench.keys()
      const control = join(bench.stateDir, 'tasks', key, 'control')
      assert.ok(existsSync(control))
      assert.deepEqual(await verdicts(attacker(bench, 'opens', ['w', control], { user: strongest })), {
        [control]: 'ENOENT',
      })
    }))

  it('nothing that is bound from the host can be written, made or taken away by root', () =>
    withWorkbench('linux', async bench => {
      const alloc = new AllocDir(join(bench.directory('alloc'), 'alloc'))
      await alloc.build(['web'])
      mkdirSync(join(alloc.taskPaths('web').task, 'own'))
      const top = ['usr', 'etc', 'bin', 'sbin', 'lib', 'lib64', 'dev', 'own', 'tmp/hostile']
      const made = ['/holdfast-attack', ...top.map(name => `/${name}/holdfast-attack`)]
      const create = attacker(bench, 'opens', ['c', ...made], { user: strongest })
      await create.configureTaskDir('web', alloc)
      assert.deepEqual(await verdicts(create), all(made, 'EROFS'))
      const existing = ['/etc/passwd', '/usr/bin/env', '/bin/false']
      const write = attacker(bench, 'opens', ['w', ...existing], { user: strongest })
      // The permissions are asked before the mount: only root's would do.
      assert.deepEqual(await verdicts(write), all(existing, isRoot ? 'EROFS' : 'EACCES'))
      const script =
        'chmod 777 /etc /usr; touch /etc/passwd; rm /bin /etc/hostname; mv /usr/bin /usr/gone; ln /etc/passwd /alloc/passwd'
      const change = bench.shell(script)
      change.command.user = strongest
      await change.start()
      await change.wait()
      const complaints = (await output(change, 'stderr')).trim().split('\n')
      assert.equal(complaints.length, 7)
      for (const line of complaints)
        assert.match(line, /Read-only file system|Invalid cross-device link|Permission denied/)
    }))

  it('a bind asked for as read-only is, for root; control: one that was not is written', () =>
    withWorkbench('linux', async bench => {
      const source = bench.directory('source')
      const paths = ['/kept/made', '/given/made']
      const task = attacker(bench, 'opens', ['c', ...paths], { user: strongest })
      task.command.mounts?.push({ source, target: '/kept', readOnly: true }, { source, target: '/given' })
      assert.deepEqual(await verdicts(task), { '/kept/made': 'EROFS', '/given/made': 'ok' })
    }))

  for (const noNewPrivileges of [true, false])
    it(
      `a set-user-ID program that root left in /local gains nothing, no_new_privs ${noNewPrivileges ? 'on' : 'off'}`,
      asRoot(() =>
        withWorkbench('linux', async bench => {
          const alloc = new AllocDir(join(bench.directory('alloc'), 'alloc'))
          await alloc.build(['web'])
          setUserId(join(alloc.taskPaths('web').local, 'gain'))
          const task = bench.command('/local/gain')
          Object.assign(task.command, { noNewPrivileges })
          await task.configureTaskDir('web', alloc)
          const seen = await verdicts(task)
          assert.deepEqual(
            [seen.ruid, seen.euid, seen.CapPrm, seen.CapBnd, seen.regain],
            ['65534', '65534', none, none, 'EPERM'],
          )
        }),
      ),
    )

  it(
    'what root in a task leaves in /local can be run by no other user of the host',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const task = bench.shell('cp /bin/true /local/shell && chmod 4755 /local/shell && echo planted')
        // With the filter there would be no such program.
        Object.assign(task.command, { user: strongest, seccomp: 'off' })
        assert.equal(await outputOf(task), 'planted\n')
        const [key = ''] = bench.keys()
        const planted = join(parseStartRecord(bench.stateDir, key).local, 'shell')
        assert.ok(existsSync(planted))
        assert.throws(() => execFileSync(planted, { uid: 64_993, gid: 64_993 }), { code: 'EACCES' })
      }),
    ),
  )

  it(
    'control: in the host’s root and without no_new_privs the same program is root, but without capabilities',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const path = join(bench.directory('gain'), 'gain')
        setUserId(path)
        const task = bench.command(path)
        Object.assign(task.command, { noNewPrivileges: false, root: 'host', namespaces: { mount: false } })
        const seen = await verdicts(task)
        assert.deepEqual(
          [seen.ruid, seen.euid, seen.CapPrm, seen.CapEff, seen.regain],
          ['65534', '0', none, none, 'ok'],
        )
      }),
    ),
  )

  it(
    'no_new_privs alone stops it there',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const path = join(bench.directory('gain'), 'gain')
        setUserId(path)
        const task = bench.command(path)
        Object.assign(task.command, { root: 'host', namespaces: { mount: false } })
        const { euid, NoNewPrivs } = await verdicts(task)
        assert.deepEqual({ euid, NoNewPrivs }, { euid: '65534', NoNewPrivs: '1' })
      }),
    ),
  )

  for (const user of taskUsers)
    it(`${user} has no capability, neither now nor by any exec, and no group but its own`, () =>
      withWorkbench('linux', async bench => {
        const seen = await verdicts(attacker(bench, 'identity', [], { user }))
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
          assert.equal(seen[set], none, set)
        assert.deepEqual([seen.NoNewPrivs, seen.Groups, seen.groups], ['1', '', 'EPERM'])
      }))

  it('a capability that was granted is the only one, before and after exec', () =>
    withWorkbench('linux', async bench => {
      const granted = { capabilities: ['CAP_NET_BIND_SERVICE'] }
      const { CapEff, CapBnd, CapAmb } = await verdicts(attacker(bench, 'identity', [], granted))
      assert.deepEqual([CapEff, CapBnd, CapAmb], Array(3).fill('0000000000000400'))
    }))
})

const none = '0000000000000000'

function setUserId(path: string): void {
  copyFileSync(compiled('identity'), path)
  chmodSync(path, 0o4755)
}

function all(paths: readonly string[], verdict: string): Record<string, string> {
  return Object.fromEntries(paths.map(path => [path, verdict]))
}
