import assert from 'node:assert/strict'
import type { Command } from '../../src/index.ts'
import { nativeFeatures } from '../../src/spawn/probe.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { isRoot, strongest, taskUsers } from '../support/identity.ts'
import { requires } from '../support/requires.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, nativePath, parseVerdicts, withoutCall } from './hostile.ts'

const attempts = [
  'environ',
  'memory',
  'root',
  'log',
  'trace',
  'vm_readv',
  'descriptor',
  'same-files',
  'signal',
  'pidfd-signal',
] as const
const signals = ['signal', 'pidfd-signal']

describe('attack: a hostile task on its exec sessions', function () {
  this.timeout(120_000)

  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if ((nativeFeatures(nativePath())?.landlock ?? 0) > 0) return
    process.stderr.write('SKIPPED attacks on exec sessions: needs Landlock (Linux 5.19, lsm=landlock)\n')
    this.skip()
  })

  const ways: [string, Partial<Command>][] = [
    ...taskUsers.map((user): [string, Partial<Command>] => [user, { user }]),
    [`${strongest} without a filter`, { user: strongest, seccomp: 'off' }],
  ]
  if (isRoot) {
    const capabilities = ['CAP_SYS_PTRACE', 'CAP_KILL', 'CAP_DAC_OVERRIDE']
    ways.push(['root with CAP_SYS_PTRACE', { user: 'root', seccomp: 'off', capabilities }])
  }
  for (const [title, loosened] of ways)
    it(`cannot read, rewrite, trace or signal them, nor write into their logs, as ${title}`, () =>
      withWorkbench('linux', async bench => {
        const { seen, logged } = await robbed(bench, loosened)
        const scoped = (nativeFeatures(nativePath())?.landlock ?? 0) >= 6
        for (const name of attempts)
          if (scoped || !signals.includes(name)) assert.match(String(seen[name]), /^(EACCES|EPERM)$/, name)
        assert.equal(logged, 'on\n')
      }))

  it('control: without Landlock and the filter all of it succeeds for the same user', () =>
    withVariable('HOLDFAST_NATIVE', withoutCall(), () =>
      withWorkbench('linux', async bench => {
        const { seen, logged } = await robbed(bench, { user: strongest, seccomp: 'off' })
        for (const name of attempts) assert.equal(seen[name], 'ok', name)
        assert.equal(logged, 'on\nforged\n')
      }),
    ))

  it('without Landlock the filter refuses to trace, also what is the task’s own', () =>
    withVariable('HOLDFAST_NATIVE', withoutCall(), () =>
      withWorkbench('linux', async bench => {
        const { seen } = await robbed(bench, { user: strongest })
        for (const name of ['trace', 'vm_readv', 'descriptor', 'same-files'])
          assert.equal(seen[name], 'EPERM', name)
      }),
    ))

  it('sessions cannot reach each other either, and can signal the task', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'rob_session', ['nobody-comes'], { user: strongest })
      task.command.path = '/bin/sh'
      task.command.args = ['-c', 'trap "echo got" USR1; echo ready; while :; do sleep 0.1; done']
      await task.start()
      await untilOutput(task, 'ready')
      const robber = task.exec('/tmp/hostile/rob_session', 'slumber')
      await robber.start()
      await untilOutput(robber, 'ready')
      const victim = task.exec('/bin/sh', '-c', `cp /bin/sleep /tmp/slumber; exec /tmp/slumber 30`)
      await victim.start()
      await robber.wait()
      const seen = parseVerdicts(await output(robber))
      for (const name of attempts)
        if (!signals.includes(name)) assert.match(String(seen[name]), /^(EACCES|EPERM)$/, name)
      assert.equal(await outputOf(task.exec('/bin/sh', '-c', 'kill -USR1 2; echo $?')), '0\n')
      await untilOutput(task, 'got')
    }))

  it('a task traces its own processes, and moves and links its own files between directories', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'trace_own', [], { user: strongest })
      assert.equal(await outputOf(task), 'trace ok\nrename ok\nlink ok\n')
    }))

  it('a task that shares the processes of the host traces none, not even its own', () =>
    withWorkbench('linux', async bench => {
      const task = attacker(bench, 'trace_own', [], { user: strongest, namespaces: { pid: false } })
      assert.equal(await outputOf(task), 'trace EPERM\nrename ok\nlink ok\n')
    }))
})

/** What a task got of a session of its own user, and what is in that one's log afterwards. */
async function robbed(
  bench: Workbench,
  loosened: Partial<Command>,
): Promise<{ seen: Record<string, string>; logged: string }> {
  const task = attacker(bench, 'rob_session', ['sleep'], loosened)
  await task.start()
  await untilOutput(task, 'ready')
  const session = task.exec('/bin/sh', '-c', 'echo on; exec sleep 60')
  session.command.env.SECRET = 'of the session'
  await session.start()
  await task.wait()
  await session.wait()
  const seen = parseVerdicts(await output(task), await output(task, 'stderr'))
  return { seen, logged: await output(session) }
}
