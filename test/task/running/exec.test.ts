import { strict as assert } from 'node:assert'
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '../../../src/index.ts'
import { identify } from '../../../src/spawn/process-table.ts'
import { execCommand, execTarget, refuseOtherIsolation } from '../../../src/task/running/exec.ts'
import { RunningLimits } from '../../../src/task/running/limits.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { fakeTask, recorded } from '../../support/fake-task.ts'
import { refuses } from '../../support/refuses.ts'

const command: Command = {
  ...{ path: '/bin/sh', args: ['-c', 'x'], argv0: 'name', name: 'web', interpolate: true },
  ...{ env: { A: '1' }, cwd: '/tmp', user: 'nobody', nice: 5 },
  ...{ stdin: '/in', stdout: '/out', stderr: '/err', terminal: { rows: 1, columns: 1 } },
  ...{ hostname: 'kelp', capabilities: ['CAP_KILL'] },
}

describe('what is to run inside a task', () => {
  let shim: FakeShim | null = null
  afterEach(() => {
    shim?.gone()
    shim = null
  })

  function target() {
    const task = recorded(fakeTask())
    shim = new FakeShim(task.dir)
    const limits = new RunningLimits(task, { cgroups: () => {}, written: () => {} })
    return { task, shim, ask: () => execTarget(task, limits) }
  }
  const refused = (ask: () => unknown, code: 'LOST' | 'INVALID_STATE', message: RegExp) =>
    refuses(Promise.resolve().then(ask), { code, message })

  it('enters the task that its start record names, and dies with its FIFO', () => {
    const { task, shim, ask } = target()
    const start = shim.started()
    const { key, name } = task.file.spec.request
    assert.deepEqual(ask(), {
      ...{ key, name, alive: join(task.dir, 'alive'), start },
      ...{ rlimits: {}, isolation: [] },
    })
  })

  it('is refused without a start record, and where a task runs whose end it would not be told of', async () => {
    const { task, shim, ask } = target()
    await refused(ask, 'LOST', /start record/)
    unlinkSync(join(task.dir, 'alive'))
    shim.started(1, { shim: identify(process.pid) ?? assert.fail() })
    await refused(ask, 'INVALID_STATE', /exec\(\) is refused: .*alive/)
  })

  it('begins with the command of its task, but for the program and its streams, in a copy of its own', () => {
    const frozen = Object.freeze({ ...command, env: Object.freeze({ A: '1' }) })
    const own = execCommand(frozen)
    assert.deepEqual(own, {
      ...{ env: { A: '1' }, cwd: '/tmp', user: 'nobody', nice: 5 },
      ...{ hostname: 'kelp', capabilities: ['CAP_KILL'] },
    })
    Object.assign(own.env ?? {}, { B: '2' })
    assert.deepEqual(frozen.env, { A: '1' })
  })

  it('has logs of the bounds of its task, and is carried and named as any other', () => {
    const bounds = { maxBytes: 4096, maxFiles: 3 }
    assert.deepEqual(execCommand({ ...command, logs: bounds }).logs, bounds)
    assert.deepEqual(execCommand({ ...command, logs: { ...bounds, numbering: 'increment' } }).logs, bounds)
    for (const logs of ['plain', 'collected'] as const)
      assert.equal('logs' in execCommand({ ...command, logs }), false, logs)
  })

  it('may have another user, directory and environment, and no other isolation', () => {
    const other = { ...command, user: 'root', cwd: '/', env: {}, nice: 0, capabilities: ['CAP_KILL'] }
    refuseOtherIsolation(other, command)
    for (const [field, value] of [
      ['hostname', 'reef'],
      ['capabilities', []],
      ['network', 'none'],
      ['root', 'host'],
    ] as const)
      assert.throws(
        () => refuseOtherIsolation({ ...command, [field]: value }, command),
        new RegExp(`command\\.${field} differs from the task's`),
      )
  })
})
