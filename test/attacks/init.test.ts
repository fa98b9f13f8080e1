import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { strongest, taskUsers } from '../support/identity.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { statOf } from '../support/process-stat.ts'
import { asRoot, requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, looking, tracing, verdicts } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

describe('attack: the shim and PID 1', () => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const user of taskUsers)
    for (const seccomp of ['default', 'off'] as const)
      it(`PID 1 cannot be traced, read, stopped or killed by ${user}, seccomp ${seccomp}`, () =>
        withWorkbench('linux', async bench => {
          const seen = await verdicts(attacker(bench, 'init', ['1'], { user, seccomp }))
          assert.deepEqual(pick(seen, looking), all(looking, 'EACCES'))
          assert.deepEqual(pick(seen, tracing), all(tracing, 'EPERM'))
          assert.deepEqual(pick(seen, ['alive', 'state']), { alive: 'ok', state: 'S' })
        }))

  it('the descriptors of PID 1 lead nowhere', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('for fd in /proc/1/fd/*; do readlink $fd && cat <$fd; done; true')
      task.command.user = strongest
      assert.equal(await outputOf(task), '')
    }))

  it('a task sees PID 1, itself and its children, no other process', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('cd /proc; echo [0-9]*')
      assert.equal(await outputOf(task), '1 2\n')
    }))

  it('even a task that may trace anything finds nothing of the host in PID 1', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell(
        'ls -d /proc/1/root/root /proc/1/root/boot /proc/1/cwd/root; grep CapEff /proc/1/status',
      )
      Object.assign(task.command, { user: strongest, capabilities: ['CAP_SYS_PTRACE'] })
      assert.equal((await outputOf(task)).trim(), 'CapEff:\t0000000000000000')
    }))

  it(
    'without a pid namespace the shim can neither be traced nor read nor signalled by nobody',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const seen = await attackShim(bench, { seccomp: 'off' })
        assert.deepEqual(pick(seen, looking), all(looking, 'EACCES'))
        assert.deepEqual(pick(seen, tracing), all(tracing, 'EPERM'))
        assert.deepEqual(pick(seen, ['alive', 'state']), { alive: 'ok', state: 'S' })
      }),
    ),
  )

  it(
    'under Basic the shim of a task of another user cannot be traced, read or signalled either',
    asRoot(() =>
      withWorkbench('basic', async bench => {
        const seen = await attackShim(bench, {})
        assert.deepEqual(pick(seen, looking), all(looking, 'EACCES'))
        assert.deepEqual(pick(seen, tracing), all(tracing, 'EPERM'))
        assert.deepEqual(pick(seen, ['alive', 'state']), { alive: 'ok', state: 'S' })
      }),
    ),
  )

  it('control: the same program does all that to a process of its own user', async () => {
    const victim = execFileSync('sh', ['-c', 'sleep 30 >/dev/null 2>&1 & echo $!'], {
      encoding: 'utf8',
    }).trim()
    const text = execFileSync(compiled('init'), [victim], { encoding: 'utf8' })
    for (const name of [...looking, 'ptrace-attach', 'pidfd_getfd'])
      assert.match(text, new RegExp(`^${name} ok$`, 'm'))
    assert.match(text, /^(alive E|state [Ztx])/m)
  })

  it(
    'kill -9 -1 and kill -9 0 end the task and nobody else, and the record says so',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const uid = 64_991
        const bystander = Number(
          execFileSync('sh', ['-c', 'sleep 30 >/dev/null 2>&1 & echo $!'], {
            encoding: 'utf8',
            uid,
            gid: uid,
          }),
        )
        try {
          const task = bench.shell('sleep 30 & setsid sleep 30 & kill -9 -1; echo survived; kill -9 0')
          task.command.user = uid
          task.command.group = uid
          await task.start()
          const { signal, cause, oomKilled, evidence } = await task.wait()
          assert.deepEqual(
            { signal, cause, oomKilled, evidence },
            { signal: 'SIGKILL', cause: 'signaled', oomKilled: false, evidence: 'record' },
          )
          const { name, state } = statOf(bystander) ?? { name: 'gone', state: '' }
          assert.match(`${name} ${state}`, /^sleep [SR]$/)
        } finally {
          process.kill(bystander, 'SIGKILL')
        }
      }),
    ),
  )
})

/** A task of a user of its own attacks its shim, whose pid it is told through its directory. */
async function attackShim(bench: Workbench, loosened: object): Promise<Record<string, string>> {
  const program = compiled('init')
  const task = bench.shell(
    `until [ -s $NOMAD_TASK_DIR/pid ]; do sleep 0.01; done; exec ${bench.platform === 'basic' ? program : '/tmp/hostile/init'} $(cat $NOMAD_TASK_DIR/pid)`,
  )
  const prepared = attacker(bench, 'init', [], { namespaces: { pid: false } })
  Object.assign(
    task.command,
    bench.platform === 'linux' && { namespaces: { pid: false }, mounts: prepared.command.mounts },
    loosened,
    { user: 64_992, group: 64_992 },
  )
  await task.start()
  const [key] = bench.keys()
  const { shim, local } = parseStartRecord(bench.stateDir, key ?? '')
  execFileSync('sh', ['-c', `echo ${shim} > ${join(local, 'pid')}`])
  await untilOutput(task, 'state')
  await task.wait()
  return Object.fromEntries(
    (await output(task))
      .trim()
      .split('\n')
      .map(line => line.split(' ') as [string, string]),
  )
}

function pick(seen: Record<string, string>, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map(name => [name, seen[name]]))
}

function all(names: readonly string[], verdict: string): Record<string, string> {
  return Object.fromEntries(names.map(name => [name, verdict]))
}
