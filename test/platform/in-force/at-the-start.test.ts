import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Executor } from '../../../src/index.ts'
import { hasCgroups } from '../../support/host-mode.ts'
import { requires } from '../../support/requires.ts'
import { untilOutput } from '../../support/output.ts'
import { directoryOf } from '../../support/task-key.ts'
import { withWorkbench } from '../../support/workbench.ts'

/** Also as an ordinary user (test/rootless.test.ts), out of whose sight the walls are before exec. */
describe('what was read back at the start of a task, before its program could do anything', function () {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  const isWall = ({ name, status }: { name: string; status: string }): boolean =>
    status === 'enforced' && (name === 'root' || name.startsWith('namespace.'))

  async function assertWhole(task: Executor): Promise<void> {
    const { verdict, rows } = await task.verify()
    const walls = rows.filter(isWall)
    assert.ok(walls.length >= 6, rows.map(({ name, reason }) => `${name} ${reason}`).join())
    assert.deepEqual(
      walls.flatMap(({ name, atStart }) => (atStart?.verdict === 'holds' ? [] : [[name, atStart]])),
      [],
    )
    assert.equal(verdict, 'holds')
  }

  it('is whole however soon the program has ended', () =>
    withWorkbench('linux', async bench => {
      const tasks = Array.from({ length: 16 }, () => bench.command('/bin/true'))
      for (const task of tasks) await task.start()
      for (const task of tasks) {
        await task.wait()
        assert.ok(existsSync(join(directoryOf(task), 'enforced.json')))
        await assertWhole(task)
      }
    }))

  it('has the limits of its cgroups, and none of those that it is given later', () =>
    withWorkbench('linux', async bench => {
      const task = bench.command('/bin/sleep', '1000')
      await task.limit({ pids: 20, rlimits: { nofile: [64, 128] } })
      await task.start()
      const hasOwn = task.enforcement.find(({ name }) => name === 'pids')?.status === 'enforced'
      assert.equal(hasOwn, hasCgroups())
      await task.update({ memoryMB: 64 })
      const { verdict, rows } = await task.verify()
      assert.equal(verdict, 'holds')
      const row = (name: string) => rows.find(found => found.name === name)
      assert.equal(row('rlimits.nofile')?.atStart?.inForce, '64:128')
      assert.equal(row('pids')?.atStart?.verdict, hasOwn ? 'holds' : 'unverifiable')
      if (hasOwn) assert.equal(row('pids')?.atStart?.inForce, 'pids.max 20')
      // For what nobody had asked for there is a cgroup since the update alone.
      assert.equal(row('memoryMB')?.atStart, null)
      assert.equal(row('memoryMB')?.verdict, hasOwn ? 'holds' : 'unverifiable')
    }))

  it('is what anybody sees from outside later, also of what runs inside a task', () =>
    withWorkbench('linux', async bench => {
      const task = bench.shell('echo on; exec sleep 1000')
      await task.start()
      await untilOutput(task, 'on')
      const session = bench.exec(task, '/bin/sleep', '1000')
      await session.start()
      for (const each of [task, session]) {
        const { verdict, live, rows } = await each.verify()
        assert.deepEqual([verdict, live], ['holds', true])
        const seen = rows.filter(row => isWall(row) || row.name === 'inside')
        assert.ok(seen.length > 0)
        for (const { name, atStart } of seen) assert.equal(atStart?.verdict, 'holds', name)
      }
      // Of the task's own the numbers, too.
      for (const { name, inForce, atStart } of (await task.verify()).rows.filter(isWall))
        if (name !== 'namespace.user') assert.equal(atStart?.inForce, inForce, name)
    }))
})
