import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Executor, HoldfastError } from '../../src/index.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, parseVerdicts, verdicts, withoutCall } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

/** Not nobody: other tests of this host run as nobody, and would starve with the control. */
const shared = 60_123

/**
 * What one task can do to another by being of the same user. All other walls that there are against it are
 * switched off: the user alone is tried.
 */
describe("attack: a task on another, each of a user of its own (user: 'own')", () => {
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  const means = ['mem', 'environ', 'maps', 'root', 'cwd', 'exe', 'fd', 'process_vm_readv', 'ptrace-attach']

  for (const user of ['own', shared] as const)
    it(
      user === 'own'
        ? 'in the host’s pid namespace it can neither signal, trace nor read the other'
        : 'control: of one user it can do all of that',
      () =>
        withoutLandlock(async bench => {
          const reach = { user, seccomp: 'off', namespaces: { pid: false } } as const
          const victim = attacker(bench, 'quota', ['hog', 'inotify'], reach)
          await victim.start()
          await untilOutput(victim, 'hogged ok')
          const task = bench.shell(
            'until [ -s /local/pid ]; do sleep 0.05; done; exec /tmp/hostile/init $(cat /local/pid)',
          )
          const mounts = [{ source: join(compiled('init'), '..'), target: '/tmp/hostile', readOnly: true }]
          Object.assign(task.command, reach, { mounts })
          await task.start()
          const { task: pid } = parseStartRecord(bench.stateDir, victim.key)
          writeFileSync(join(parseStartRecord(bench.stateDir, task.key).local, 'pid'), String(pid))
          await task.wait()
          const seen = parseVerdicts(await output(task))
          if (user === 'own') {
            for (const one of means) assert.match(seen[one] ?? '', /^(EPERM|EACCES)$/, one)
            assert.equal(victim.state, 'running')
            await victim.forceStop()
          } else {
            for (const one of means.filter(one => one !== 'ptrace-attach')) assert.equal(seen[one], 'ok', one)
            assert.equal((await victim.wait()).signal, 'SIGKILL')
          }
        }),
    )

  for (const [kind, refused] of [
    ['inotify', 'EMFILE'],
    ['process', 'EAGAIN'],
    ['key', 'EDQUOT'],
    ['queue', 'EMFILE'],
  ] as const)
    for (const user of ['own', shared] as const)
      it(
        user === 'own'
          ? `what one takes of its ${kind} quota, the other does not miss`
          : `control: of one user the ${kind} quota is one, and the other gets none (${refused})`,
        () =>
          withWorkbench('linux', async bench => {
            const command: Partial<Command> = { user, seccomp: 'off' }
            const hog = attacker(bench, 'quota', ['hog', kind], command)
            await hog.start()
            await untilOutput(hog, 'hogged ok')
            const victim = attacker(bench, 'quota', ['try', kind], command)
            if (kind === 'process') await victim.limit({ rlimits: { nproc: [20, 20] } })
            assert.equal(await verdictOf(victim, kind), user === 'own' ? 'ok' : refused)
            await hog.forceStop()
          }),
      )

  it('a number is not given again while a file of its predecessor is left; control: its next owner could read it', () =>
    withWorkbench('linux', async bench => {
      const between = bench.directory('between')
      chmodSync(between, 0o1777)
      const first = 1_879_100_000
      const supervisor = bench.another({ ownUsers: { first, count: 1, registry: bench.directory('users') } })
      const run = (script: string, user: string | number) => {
        const task = bench.commandOf(supervisor, '/bin/sh', '-c', script)
        Object.assign(task.command, { user, mounts: [{ source: between, target: '/tmp/between' }] })
        return task
      }
      const read = 'cat /tmp/between/left 2>/dev/null || echo nothing'

      const writer = run('umask 077; echo secret > /tmp/between/left; id -u', 'own')
      assert.equal(await outputOf(writer), `${first}\n`)
      await writer.destroy()

      await assert.rejects(run(read, 'own').start(), (error: HoldfastError) => {
        assert.equal(error.code, 'UNSUPPORTED')
        assert.ok(error.message.includes(between), error.message)
        return true
      })
      assert.equal(await outputOf(run(read, first)), 'secret\n')

      rmSync(join(between, 'left'))
      const next = run(`id -u; ${read}`, 'own')
      assert.equal(await outputOf(next), `${first}\nnothing\n`)
    }))
})

/** A task whose user may have no more processes is not even exec'ed. */
async function verdictOf(task: Executor, kind: string): Promise<string | undefined> {
  try {
    return (await verdicts(task))[kind]
  } catch (error) {
    return (error as HoldfastError).errno
  }
}

/** It keeps tasks from each other too, whoever they are. */
function withoutLandlock(body: (bench: Workbench) => Promise<void>): Promise<void> {
  const program = withoutCall()
  return withVariable('HOLDFAST_NATIVE', program, () => withWorkbench('linux', body))
}
