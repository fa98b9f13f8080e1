import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { strongest } from '../support/identity.ts'
import { parkedOf } from '../support/parked-shims.ts'
import { output, outputOf } from '../support/output.ts'
import { isLiving, statOf } from '../support/process-stat.ts'
import { requires } from '../support/requires.ts'
import { keyOf, startRecordOf } from '../support/task-key.ts'
import { withVariable } from '../support/variable.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { attacker, compiled, looking, parseVerdicts, tracing, verdicts } from './hostile.ts'
import { parseStartRecord } from './start-record.ts'

const other = 64_993

describe('attack: a shim that waits for its task', function () {
  this.timeout(120_000)
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  it('cannot be traced, read, signalled or fed by a task that sees it', () =>
    withParked(async (bench, parked) => {
      const loosened: Partial<Command> = {
        namespaces: { pid: false },
        seccomp: 'off',
        user: other,
        group: other,
      }
      const seen = await verdicts(attacker(bench, 'init', [`${parked}`], loosened))
      for (const way of [...looking, 'fd']) assert.equal(seen[way], 'EACCES', way)
      // Its socket cannot be had by pidfd_getfd either, and has no name.
      for (const way of tracing) assert.equal(seen[way], 'EPERM', way)
      assert.deepEqual([seen.alive, seen.state], ['ok', 'S'])
      assert.ok(isLiving(statOf(parked)))
    }))

  it('is not there for a task with processes of its own, whoever it is', () =>
    withParked(async (bench, parked) => {
      // Its start takes the one; the spawner makes another.
      const task = bench.shell(
        'until [ -e $NOMAD_TASK_DIR/go ]; do sleep 0.01; done; cat /proc/[0-9]*/comm; kill -9 $(cat $NOMAD_TASK_DIR/go); true',
      )
      task.command.user = strongest
      await task.start()
      const { shim } = startRecordOf(task)
      assert.equal(shim.pid, parked)
      const spawner = statOf(parked)?.parent ?? 0
      await eventually(() => assert.equal(parkedOf(spawner).length, 1))
      const [next = 0] = parkedOf(spawner)
      const { local } = parseStartRecord(bench.stateDir, keyOf(task))
      writeFileSync(join(local, 'go.tmp'), `${next}`)
      renameSync(join(local, 'go.tmp'), join(local, 'go'))
      await task.wait()
      const names = new Set((await output(task)).trim().split('\n'))
      assert.deepEqual([...names].sort(), ['holdfast-init', 'sh'])
      assert.deepEqual(parkedOf(spawner), [next])
    }))

  it('does not make a start fail by dying of the request: it has made nothing, and another takes it', () =>
    withParked(async (bench, parked) => {
      // No room for the descriptors that come with it.
      execFileSync('prlimit', ['--pid', `${parked}`, '--nofile=1:1'])
      const task = bench.shell('echo ran >> $NOMAD_TASK_DIR/times; cat $NOMAD_TASK_DIR/times')
      assert.equal(await outputOf(task), 'ran\n')
      assert.notEqual(startRecordOf(task).shim.pid, parked)
      assert.equal(isLiving(statOf(parked)), false)
    }))

  it('control: a task of root that may do anything traces one and takes its socket', () =>
    withParked(async (_, parked) => {
      const child = spawn(compiled('init'), [`${parked}`], { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
      await eventually(() => assert.match(said, /^oom_score_adj|^alive/m))
      child.kill('SIGKILL')
      const seen = parseVerdicts(said)
      for (const way of [...looking, 'fd', 'ptrace-attach']) assert.equal(seen[way], 'ok', way)
      await eventually(() => assert.ok(!isLiving(statOf(parked))))
    }))
})

/** One that waits, and a spawner that makes no other of its own accord for as long as the test goes. */
async function withParked(attack: (bench: Workbench, parked: number) => Promise<void>): Promise<void> {
  await withVariable('HOLDFAST_PARKED', '1,60000', () =>
    withWorkbench('linux', async bench => {
      const tasks = await Promise.all(
        [1, 2].map(async () => {
          const task = bench.command('/bin/sleep', '1000')
          await task.start()
          return task
        }),
      )
      const spawner = statOf(startRecordOf(tasks[0] as (typeof tasks)[0]).shim.pid)?.parent ?? 0
      await eventually(() => assert.equal(parkedOf(spawner).length, 1))
      await attack(bench, parkedOf(spawner)[0] as number)
    }),
  )
}
