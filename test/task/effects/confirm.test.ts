import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import type { Enforcement } from '../../../src/api.ts'
import type { PlatformName } from '../../../src/platform/port.ts'
import { enforced } from '../../../src/platform/rows.ts'
import { confirm, untilReadBack } from '../../../src/task/effects/confirm.ts'
import { enforcedSample } from '../../support/enforced-sample.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { type FakeTask, fakeTask } from '../../support/fake-task.ts'
import { refuses } from '../../support/refuses.ts'

const pids = enforced({ kind: 'limit', name: 'pids', requested: '20' })
const user = enforced({ kind: 'isolation', name: 'user', requested: 'nobody' })

/** More than a line of the shim's. */
const otherwise = `max\n${'é'.repeat(200)}`

type Started = {
  readonly platform?: PlatformName
  readonly strict?: boolean
  readonly differs?: readonly string[]
}

/** A task whose shim has read back, where `differs` names the rows that are otherwise, or has not. */
function started({ platform = 'linux', strict = false, differs }: Started): {
  task: FakeTask
  shim: FakeShim
  rows: () => readonly Pick<Enforcement, 'name' | 'status' | 'reason'>[]
  confirmed: () => ReturnType<typeof confirm>
} {
  const task: FakeTask = fakeTask({
    platform,
    strict,
    keeper: {
      killTree: async (_, options) => {
        task.calls.push(`killTree ${JSON.stringify(options)}`)
        return []
      },
    },
    planner: {
      plan: () => assert.fail('it has been planned'),
      recorded: ({ rows }) =>
        rows.map(row => {
          const isOther = differs?.includes(row.name) ?? false
          return {
            ...row,
            verdict: isOther ? 'differs' : 'holds',
            inForce: isOther ? otherwise : row.requested,
          }
        }),
    },
  })
  task.file.intend({ enforcement: [pids, user], logs: task.file.spec.logs, launchers: [] })
  const shim = new FakeShim(task.dir)
  const start = shim.started()
  if (differs !== undefined) writeFileSync(`${task.dir}/enforced.json`, JSON.stringify(enforcedSample))
  return {
    task,
    shim,
    rows: () => task.file.spec.enforcement.map(({ name, status, reason }) => ({ name, status, reason })),
    confirmed: () => confirm(task, start),
  }
}

const asDecided = [pids, user].map(({ name, status, reason }) => ({ name, status, reason }))

describe('what a start has put in force', () => {
  for (const [what, given] of [
    ['were read and hold', { differs: [] }],
    ['are read by nobody, on a platform that isolates nothing', { platform: 'basic' }],
  ] as const)
    it(`leaves the rows as they were decided where they ${what}`, async () => {
      const { task, rows, confirmed } = started(given)
      assert.deepEqual(await confirmed(), task.records.read())
      assert.deepEqual(rows(), asDecided)
      assert.deepEqual(task.calls, [])
    })

  it('weakens the row of which something else was read, and no other', async () => {
    const { task, rows, confirmed } = started({ differs: ['pids'] })
    await confirmed()
    assert.deepEqual(rows(), [
      { name: 'pids', status: 'weakened', reason: `the kernel says otherwise: ${otherwise}` },
      asDecided[1],
    ])
    assert.deepEqual(task.calls, [])
  })

  it('calls nothing enforced that the shim has not read back', async () => {
    const { rows, confirmed } = started({})
    await confirmed()
    assert.deepEqual(
      rows().map(({ status }) => status),
      ['weakened', 'weakened'],
    )
  })

  for (const [name, code, stage] of [
    ['pids', 'LIMIT_FAILED', 'limit'],
    ['user', 'ISOLATION_FAILED', 'isolation'],
  ] as const)
    it(`kills a strict task whose ${name} is otherwise, and has its shim record why`, async () => {
      const { task, shim, confirmed } = started({ strict: true, differs: [name] })
      await refuses(confirmed(), { code, message: /the kernel says otherwise: max/ })
      const [order = '', ...more] = shim.told()
      assert.ok(order.startsWith(`refuse ${stage} strict: this host cannot enforce ${name} (`), order)
      // As much as the shim takes, and not a second line.
      assert.deepEqual([Buffer.byteLength(order) < 255, more], [true, []])
      assert.deepEqual(task.calls, ['killTree {"spareShim":true}'])
    })
})

describe('the read-back of a start that another supervisor has asked for', () => {
  it('is waited for, and no longer', async () => {
    const { task } = started({})
    let isOver = false
    const waiting = untilReadBack(task.dir).then(() => (isOver = true))
    await turn()
    assert.equal(isOver, false)
    writeFileSync(`${task.dir}/enforced.json`, '{}')
    await waiting
  })

  it('is not waited for where the task has ended, or its shim is gone', async () => {
    const [ended, lost] = [started({}), started({})]
    ended.shim.ended()
    lost.shim.gone()
    const began = performance.now()
    await Promise.all([ended, lost].map(({ task }) => untilReadBack(task.dir)))
    assert.ok(performance.now() - began < 4000)
  })
})
