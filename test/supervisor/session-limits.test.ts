import { strict as assert } from 'node:assert'
import { execFile } from 'node:child_process'
import { existsSync, utimesSync } from 'node:fs'
import { audit } from '../../src/index.ts'
import { compiled } from '../support/compiled.ts'
import { eventually } from '../support/eventually.ts'
import { hasCgroups } from '../support/host-mode.ts'
import { processesOf } from '../support/leftovers.ts'
import { requires } from '../support/requires.ts'
import { keyOf, startRecordOf } from '../support/task-key.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

/** The ids of a task and a session in it, whose supervisor was killed. */
async function orphaned(bench: Workbench): Promise<readonly [task: string, session: string]> {
  const said = await new Promise<string>(resolve =>
    execFile(
      process.execPath,
      [compiled('test/fixtures/programs/session.ts'), bench.stateDir],
      (_error, stdout) => resolve(stdout),
    ),
  )
  const [task = '', session = ''] = said.split('\n')
  assert.ok(session, said)
  return [task, session]
}

describe('an exec session with limits of its own', function () {
  this.timeout(60_000)

  before(function () {
    requires(this, 'isolation', 'linux', 'native')
    if (hasCgroups()) return
    process.stderr.write('SKIPPED limits of exec sessions: they are skipped here, and said so\n')
    this.skip()
  })

  it('is found with them when its supervisor was killed, and leaves nothing when it is destroyed', () =>
    withWorkbench('linux', async bench => {
      const [taskId, sessionId] = await orphaned(bench)
      const session = await bench.supervisor.open(sessionId)
      const { cgroups } = startRecordOf(session)
      assert.ok(cgroups.length > 0 && cgroups.every(existsSync))
      assert.deepEqual(
        [session.state, (await session.usage()).memoryLimitBytes],
        ['running', 32 * 1024 * 1024],
      )
      // Who has brought it in counts until it is gone.
      await eventually(async () => assert.equal((await session.usage()).pids, 1))
      await session.destroy()
      assert.deepEqual(cgroups.filter(existsSync), [])
      assert.equal((await bench.supervisor.open(taskId)).state, 'running')
    }))

  it('is lost with its shim, and nothing of it is left, while the task goes on', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.start()
      const session = bench.shellIn(task, 'setsid sleep 1000 & sleep 1000')
      await session.limit({ memoryMB: 32, pids: 7 })
      await session.start()
      const { shim, cgroups } = startRecordOf(session)
      process.kill(shim.pid, 'SIGKILL')
      assert.equal((await session.wait()).cause, 'lost')
      assert.deepEqual(cgroups.filter(existsSync), [])
      assert.deepEqual(processesOf(keyOf(session)), [])
      assert.equal(task.state, 'running')
    }))

  it('whose shim was killed while nobody looked is named by audit, and removed', () =>
    withWorkbench('linux', async bench => {
      const [, sessionId] = await orphaned(bench)
      const other = bench.another()
      const { shim, cgroups } = startRecordOf(await other.open(sessionId))
      await other.close()
      process.kill(shim.pid, 'SIGKILL')
      while (existsSync(`/proc/${shim.pid}/fd/0`)) await new Promise(setImmediate)
      for (const dir of cgroups) utimesSync(dir, 0, 0)
      const found = await audit({ stateDir: bench.stateDir, fix: true })
      const paths = found.leftovers.filter(({ kind }) => kind === 'cgroup').map(({ path }) => path)
      assert.deepEqual(paths.sort(), [...cgroups].sort())
      assert.deepEqual(cgroups.filter(existsSync), [])
    }))
})
