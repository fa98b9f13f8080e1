import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Executor } from '../../src/index.ts'
import { hasCgroups } from '../support/host-mode.ts'
import { taskUsers } from '../support/identity.ts'
import { output, outputOf, untilOutput } from '../support/output.ts'
import { asRoot, requires } from '../support/requires.ts'
import { keyOf, startRecordOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/**
 * Looks for its own cgroups wherever cgroups are shown, tries to raise what limits it there, and to move into
 * the cgroup above, which is the task's. Says `NAME ok` for what succeeds.
 */
const escape = `
try() { (printf %s "$2" > "$3") 2>/dev/null && echo "$1 ok" || echo "$1 refused"; }
KEY=$(sed -n 's/^[0-9]*:\\(memory\\|\\):.*[/]//p' /proc/self/cgroup | head -n 1)
for dir in $(find /sys/fs/cgroup -type d -name "$KEY" 2>/dev/null); do
  for name in memory.memsw.limit_in_bytes memory.limit_in_bytes memory.max; do
    [ -e "$dir/$name" ] && try "$name" 400000000 "$dir/$name"
  done
  [ -e "$dir/pids.max" ] && try pids.max 50 "$dir/pids.max"
  # Of version 2 it is in a group beside.
  above="$dir/../task"; [ -e "$above" ] || above="$dir/.."
  try leave $$ "$above/cgroup.procs"
done
echo seen
sleep 1000`

type Robbed = { readonly task: Executor; readonly session: Executor; readonly told: string }

async function escaping(bench: Workbench, loosened: Partial<Command>): Promise<Robbed> {
  const task = bench.shell('trap "sleep 0; echo forked" USR1; echo ready; while :; do sleep 0.05; done')
  Object.assign(task.command, loosened)
  await task.limit({ memoryMB: 256, pids: 64 })
  await task.start()
  await untilOutput(task, 'ready')
  const session = task.exec('/bin/sh', '-c', escape)
  await session.limit({ memoryMB: 24, pids: 12 })
  await session.start()
  const told = (await untilOutput(session, 'seen')).replace('seen\n', '')
  return { task, session, told }
}

function limitOf(session: Executor, names: readonly string[]): string {
  const paths = startRecordOf(session).cgroups.flatMap(dir => names.map(name => join(dir, name)))
  return readFileSync(paths.find(existsSync) ?? '', 'utf8').trim()
}

const memoryOf = (session: Executor): string => limitOf(session, ['memory.limit_in_bytes', 'memory.max'])

function isWithin(session: Executor): boolean {
  const lines = readFileSync(`/proc/${startRecordOf(session).task.pid}/cgroup`, 'utf8').split('\n')
  const limited = lines.filter(line => /^\d+:(memory|pids|):/.test(line) && line.includes('holdfast'))
  return limited.length > 0 && limited.every(line => line.endsWith(`/${keyOf(session)}`))
}

describe('attack: an exec session on limits of its own', function () {
  this.timeout(120_000)

  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if (hasCgroups()) return
    process.stderr.write('SKIPPED attacks on limits of exec sessions: they are skipped here, and said so\n')
    this.skip()
  })

  for (const user of taskUsers)
    it(`cannot raise them, nor move to the task's cgroup, as ${user}`, () =>
      withWorkbench('linux', async bench => {
        const { session, told } = await escaping(bench, { user, seccomp: 'off' })
        // It finds them: what keeps it from them is no want of a name.
        assert.match(told, /^leave refused$/m)
        assert.doesNotMatch(told, / ok$/m)
        assert.deepEqual(
          [memoryOf(session), limitOf(session, ['pids.max'])],
          [String(24 * 1024 * 1024), '12'],
        )
        assert.equal(isWithin(session), true)
      }))

  it(
    'control: where the host’s cgroups are shown to root, all of it succeeds',
    asRoot(() =>
      withWorkbench('linux', async bench => {
        const { session, told } = await escaping(bench, {
          user: 'root',
          seccomp: 'off',
          root: 'host',
          namespaces: { mount: false },
        })
        assert.doesNotMatch(told, /refused$/m)
        assert.match(told, /^leave ok$/m)
        assert.notEqual(memoryOf(session), String(24 * 1024 * 1024))
        assert.equal(isWithin(session), false)
      }),
    ),
  )

  it('a bomb that leaves its session, its group and its parents is refused at its own number, and dies with it', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('trap "sleep 0; echo forked" USR1; echo ready; while :; do sleep 0.05; done')
      await task.limit({ pids: 200 })
      await task.start()
      await untilOutput(task, 'ready')
      const bomb = task.exec(
        '/bin/sh',
        '-c',
        'f() { setsid sh -c "sleep 1000 & sleep 1000" & }; while :; do f; done',
      )
      await bomb.limit({ pids: 20 })
      await bomb.start()
      const result = await bomb.wait()
      assert.ok((result.limitsHit.pidsRefused ?? 0) > 0)
      await task.signal('SIGUSR1')
      await untilOutput(task, 'forked')
      assert.equal(
        await outputOf(
          task.exec('/bin/sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n" | grep -c "^1000$"'),
        ),
        '0\n',
      )
    }))

  it('control: without a limit of its own it takes those of the task, which forks no more', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo ready; exec sleep 1000')
      await task.limit({ pids: 20 })
      await task.start()
      await untilOutput(task, 'ready')
      const bomb = task.exec(
        '/bin/sh',
        '-c',
        'i=0; while [ $i -lt 40 ]; do i=$((i+1)); setsid sleep 1000 & done; :',
      )
      await bomb.start()
      assert.notEqual((await bomb.wait()).exitCode, 0)
      assert.match(await output(bomb, 'stderr'), /fork/i)
      await assert.rejects(task.exec('/bin/true').start(), { errno: 'EAGAIN' })
    }))
})
