import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import {
  AllocDir,
  audit,
  type Executor,
  type HoldfastError,
  type SupervisorOptions,
} from '../../src/index.ts'
import { userPoints } from '../../src/task/failpoint.ts'
import type { Claim } from '../../src/task/own-users/claim.ts'
import { Registry } from '../../src/task/own-users/registry.ts'
import { startFixture } from '../support/fixture.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

const first = 1_879_300_000

describe("user: 'own'", () => {
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  /** Of numbers of its own: others of this host run beside it. */
  function own(bench: Workbench, count = 4, more: SupervisorOptions = {}) {
    const registry = join(bench.stateDir, 'users')
    const supervisor = bench.another({ user: 'own', ownUsers: { first, count, registry }, ...more })
    const shell = (script: string) => bench.commandOf(supervisor, '/bin/sh', '-c', script)
    return { supervisor, registry, shell }
  }

  const row = ({ enforcement }: Executor) => enforcement.find(({ name }) => name === 'user')
  const inRange = (text: string, count = 4) => {
    const [, number = ''] = /^(\d+)$/m.exec(text) ?? []
    assert.ok(Number(number) >= first && Number(number) < first + count, text)
    return Number(number)
  }

  it('two tasks have two users, groups of the same numbers and no others; the rows say which', () =>
    withWorkbench('linux', async bench => {
      const { shell } = own(bench)
      const tasks = [shell('id -u; id -g; id -G'), shell('id -u; id -g; id -G')]
      const seen = await Promise.all(tasks.map(outputOf))
      for (const [index, text] of seen.entries()) {
        const number = inRange(text.split('\n', 1)[0] ?? '')
        assert.equal(text, `${number}\n`.repeat(3))
        const { requested, status } = row(tasks[index] as Executor) ?? {}
        assert.deepEqual({ requested, status }, { requested: `own (${number})`, status: 'enforced' })
      }
      assert.notEqual(seen[0], seen[1])
    }))

  it('its directories, temporary files, secrets, logs and streams are its own', () =>
    withWorkbench('linux', async bench => {
      const { supervisor } = own(bench)
      const task = bench.commandOf(
        supervisor,
        '/bin/sh',
        '-c',
        'for at in /local /tmp /alloc/data /alloc/tmp /dev/shm; do touch $at/x && stat -c %u $at/x; done; ' +
          'stat -c %u:%a /secrets/key; cat /secrets/key; echo to-stderr > /dev/stderr; echo $USER $HOME; id -u',
      )
      task.command.secrets = { key: 'hidden\n' }
      const text = await outputOf(task)
      const number = inRange(text.trim().split('\n').at(-1) ?? '')
      assert.equal(text, `${number}\n`.repeat(5) + `${number}:400\nhidden\n${number} /local\n${number}\n`)
      assert.equal(await output(task, 'stderr'), 'to-stderr\n')
    }))

  it('a workspace is its own inside, and its owner’s outside', () =>
    withWorkbench('linux', async bench => {
      const workspace = bench.directory('workspace')
      const { shell } = own(bench)
      const task = shell('stat -c %u .; touch made; stat -c %u made; id -u')
      task.command.workspace = workspace
      const text = await outputOf(task)
      const number = inRange(text.trim().split('\n').at(-1) ?? '')
      assert.equal(text, `${number}\n`.repeat(3))
      assert.equal(statSync(join(workspace, 'made')).uid, 0)
    }))

  it('exec sessions run as it, also under a successor; its own user is not another’s to take', () =>
    withWorkbench('linux', async bench => {
      const { shell, supervisor } = own(bench)
      const task = shell('id -u; echo ready; sleep 60')
      await task.start()
      const number = inRange((await untilOutput(task, 'ready')).split('\n', 1)[0] ?? '')
      const key = [...supervisor.tasks.keys()][0] ?? ''
      await supervisor.close()
      const successor = await bench.another().openKey(key)
      for (const user of [undefined, 'own']) {
        const session = bench.shellIn(successor, 'id -u; id -G; touch /local/session')
        if (user !== undefined) session.command.user = user
        assert.equal(await outputOf(session), `${number}\n${number}\n`)
        assert.equal(row(session)?.requested, `own (${number})`)
      }
      await successor.forceStop()
      const shared = bench.commandOf(bench.another(), '/bin/sh', '-c', 'echo ready; sleep 60')
      await shared.start()
      await untilOutput(shared, 'ready')
      const session = bench.exec(shared, '/bin/true')
      session.command.user = 'own'
      await assert.rejects(session.start(), { code: 'INVALID_ARGUMENT' })
    }))

  it('is kept while its task runs or is recorded, whoever lives, and given back when that is destroyed', () =>
    withWorkbench('linux', async bench => {
      const { shell, supervisor } = own(bench, 1)
      const task = shell('id -u; echo ready; sleep 60')
      await task.start()
      await untilOutput(task, 'ready')
      const key = [...supervisor.tasks.keys()][0] ?? ''
      await supervisor.close()
      const second = own(bench, 1)
      const taken = (error: HoldfastError) =>
        error.code === 'UNSUPPORTED' && error.stage === 'user' && /its task/.test(error.message)
      await assert.rejects(second.shell('true').start(), taken)
      const adopted = await second.supervisor.openKey(key)
      await adopted.forceStop()
      await assert.rejects(second.shell('true').start(), taken)
      await adopted.destroy()
      assert.equal(await outputOf(second.shell('id -u')), `${first}\n`)
    }))

  it('a start that is refused keeps none', () =>
    withWorkbench('linux', async bench => {
      const { shell } = own(bench, 1)
      const refused = shell('true')
      refused.command.mounts = [{ source: join(bench.stateDir, 'absent'), target: '/tmp/x' }]
      await assert.rejects(refused.start(), { code: 'INVALID_ARGUMENT' })
      assert.equal(await outputOf(shell('id -u')), `${first}\n`)
    }))

  it('tasks of one allocation have users of their own, share its files, and hold their users until it is destroyed', () =>
    withWorkbench('linux', async bench => {
      const { shell } = own(bench, 2)
      const alloc = new AllocDir(join(bench.directory('alloc'), 'a'))
      await alloc.build(['one', 'two'])
      const numbers = []
      const script =
        'id -u; cd /alloc/data; echo $(id -u) >>shared; chmod 600 shared; wc -l <shared; stat -c %u shared; ' +
        'cat /alloc/logs/*.stdout 2>/dev/null | head -1'
      for (const [index, name] of ['one', 'two'].entries()) {
        const task = shell(script)
        await task.configureTaskDir(name, alloc)
        const text = await outputOf(task)
        const number = inRange(text.split('\n', 1)[0] ?? '', 2)
        // Its own log it may read, that of the other it may not.
        assert.equal(text, `${number}\n${index + 1}\n${number}\n${number}\n`)
        assert.deepEqual(
          task.enforcement.filter(({ name: row }) => row === 'alloc').map(({ status }) => status),
          ['enforced'],
        )
        numbers.push(number)
        await task.destroy()
      }
      assert.equal(statSync(join(alloc.path, 'alloc/data/shared')).uid, 65_534)
      assert.equal(new Set(numbers).size, 2)
      await assert.rejects(shell('true').start(), {
        code: 'UNSUPPORTED',
        message: /logs.(one|two).stdout is of it/,
      })
      await alloc.destroy()
      inRange(await outputOf(shell('id -u')), 2)
    }))

  it('a later task of the same allocation, with another number, goes on with what the earlier left in /local', () =>
    withWorkbench('linux', async bench => {
      const { supervisor } = own(bench, 4)
      const alloc = new AllocDir(join(bench.directory('alloc'), 'a'))
      await alloc.build(['web'])
      const numbers: string[] = []
      for (const script of ['mkdir -m 700 /local/d', 'stat -c %u /local/d; rmdir /local/d']) {
        const task = bench.commandOf(
          supervisor,
          '/bin/sh',
          '-c',
          `id -u; touch /local/d/x; rm -f /local/d/x; ${script}`,
        )
        task.command.user = 'own'
        await task.configureTaskDir('web', alloc)
        numbers.push((await outputOf(task)).trim())
        if (numbers.length === 1) assert.equal(statSync(join(alloc.path, 'web/local/d')).uid, 65_534)
      }
      const [first, second = ''] = numbers
      // Its log goes on where that of the earlier ends.
      const [mine, owner] = second.split('\n').slice(-2)
      assert.notEqual(mine, first)
      assert.equal(owner, mine)
      assert.throws(() => statSync(join(alloc.path, 'web/local/d')), { code: 'ENOENT' })
      await alloc.destroy()
    }))

  it('what is mounted from within an allocation is its own as well, beside a workspace that is', () =>
    withWorkbench('linux', async bench => {
      const { shell } = own(bench, 2)
      const alloc = new AllocDir(join(bench.directory('alloc'), 'a'))
      await alloc.build(['web'])
      const [temporary, workspace] = [join(alloc.path, 'web/tmp'), bench.directory('workspace')]
      mkdirSync(temporary)
      chownSync(temporary, 65_534, 65_534)
      const numbers: string[] = []
      for (const lines of [1, 2]) {
        const task = shell(
          'umask 077; for d in /tmp /local /alloc/data; do id -u >>$d/x; done; wc -l </tmp/x; stat -c %u /tmp/x /local/x /alloc/data/x .; id -u',
        )
        task.command.mounts = [{ source: temporary, target: '/tmp' }]
        task.command.workspace = workspace
        await task.configureTaskDir('web', alloc)
        // Its log goes on where that of the earlier ends.
        const said = (await outputOf(task)).trim().split('\n').slice(-6)
        const number = String(inRange(said.at(-1) ?? '', 2))
        assert.deepEqual(said, [String(lines), ...Array<string>(5).fill(number)])
        numbers.push(number)
        await task.destroy()
      }
      assert.notEqual(numbers[0], numbers[1])
      assert.equal(statSync(join(temporary, 'x')).uid, 65_534)
    }))

  it('audit names one whose task is gone, and gives it back', () =>
    withWorkbench('linux', async bench => {
      const { shell, supervisor, registry } = own(bench, 1)
      const task = shell('true')
      await task.start()
      await task.wait()
      const key = [...supervisor.tasks.keys()][0] ?? ''
      await supervisor.close()
      const look = async (fix: boolean) =>
        (await audit({ stateDir: bench.stateDir, ownUsers: { registry }, fix })).leftovers
          .filter(({ kind }) => kind === 'user')
          .map(({ path, fixed }) => ({ path, fixed }))
      assert.deepEqual(await look(true), [])
      for (const name of ['tasks', 'allocs']) rmSync(join(bench.stateDir, name, key), { recursive: true })
      // This very process has taken it, and lives.
      assert.deepEqual(await look(true), [])
      const written = new Registry(registry)
      const { generation, claim } = written.read(first)
      written.replace(first, generation, { ...(claim as Claim), by: { pid: 2 ** 22 + 1, startTime: 0 } })
      const path = join(registry, String(first))
      assert.deepEqual(await look(false), [{ path, fixed: false }])
      assert.deepEqual(await look(true), [{ path, fixed: true }])
      assert.deepEqual(await look(true), [])
      assert.equal(await outputOf(own(bench, 1).shell('id -u')), `${first}\n`)
    }))

  for (const point of userPoints)
    it(`of a supervisor that is killed at ${point}: audit gives it back with the allocation`, () =>
      withWorkbench('linux', async bench => {
        const registry = join(bench.stateDir, 'users')
        const { exitCode } = await startFixture('own-user.ts', {
          stateDir: bench.stateDir,
          arguments: [registry, `${first}`],
          env: { HOLDFAST_FAULT: point },
        })
        assert.notEqual(exitCode, 0)
        const { claim } = new Registry(registry).read(first)
        assert.equal((claim as Claim).isRemoved, false)
        // Held by the allocation alone, which audit takes for one in the making for some seconds.
        const allocations = join(bench.stateDir, 'allocs')
        for (const key of readdirSync(allocations)) utimesSync(join(allocations, key), 0, 0)
        const { leftovers } = await audit({ stateDir: bench.stateDir, ownUsers: { registry }, fix: true })
        assert.deepEqual(
          leftovers.filter(({ fixed }) => fixed).map(({ kind }) => kind),
          ['allocation', 'user'],
        )
        assert.equal(await outputOf(own(bench, 1).shell('id -u')), `${first}\n`)
      }))

  it('is refused in words where what it could leave behind is more than can be written down', () =>
    withWorkbench('linux', async bench => {
      const { shell, registry } = own(bench, 1)
      const long = 'x'.repeat(200)
      const mounts = Array.from({ length: 25 }, (_, index) => {
        const source = join(bench.directory('places'), `${long}${index}`)
        mkdirSync(source)
        return { source, target: `/tmp/${index}` }
      })
      const task = shell('true')
      task.command.mounts = mounts
      await assert.rejects(
        task.start(),
        (error: HoldfastError) =>
          error.code === 'UNSUPPORTED' && error.stage === 'user' && /takes \d{4} bytes/.test(error.message),
      )
      const { claim } = new Registry(registry).read(first)
      assert.equal(claim, null)
    }))

  describe('is refused', () => {
    it('with a group, and in the root of the host', () =>
      withWorkbench('linux', async bench => {
        const { shell, registry } = own(bench)
        const grouped = shell('true')
        Object.assign(grouped.command, { user: 'own', group: 'daemon' })
        await assert.rejects(grouped.start(), { code: 'INVALID_ARGUMENT' })
        const inHostRoot = shell('true')
        inHostRoot.command.root = 'host'
        await assert.rejects(inHostRoot.start(), { code: 'UNSUPPORTED', stage: 'user' })
        assert.throws(() => readdirSync(registry), { code: 'ENOENT' })
      }))

    it('by the basic executor', () =>
      withWorkbench('basic', async bench => {
        const task = bench.command('/bin/true')
        task.command.user = 'own'
        await assert.rejects(task.start(), { code: 'UNSUPPORTED', stage: 'user' })
      }))
  })

  describe('of untrusted tasks', () => {
    it('is theirs without being asked for, unless they name another', () =>
      withWorkbench('linux', async bench => {
        const { supervisor } = own(bench, 4)
        inRange((await supervisor.run('id', ['-u'], { untrusted: true })).stdout)
        const named = await supervisor.run('id', ['-u'], { untrusted: true, user: 'nobody' })
        assert.equal(named.stdout, '65534\n')
      }))

    it('where numbers cannot be given out they are nobody’s, and a row says so', () =>
      withWorkbench('linux', async bench => {
        const supervisor = bench.another({ ownUsers: { registry: '/proc/holdfast-users' } })
        const running = supervisor.run('id', ['-u'], { untrusted: true, keep: true })
        const { stdout } = await running
        assert.equal(stdout, '65534\n')
        const { requested, status, chosen, reason } = row(running.task) ?? {}
        assert.deepEqual(
          { requested, status, chosen },
          { requested: 'own', status: 'weakened', chosen: true },
        )
        assert.match(reason ?? '', /a default that does not hold here/)
      }))
  })
})
