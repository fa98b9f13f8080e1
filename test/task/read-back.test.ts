import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartRecord } from '../../machines/index.ts'
import { enforced, skipped, weakened } from '../../src/platform/rows.ts'
import type { ToVerify } from '../../src/platform/port.ts'
import { confirmed, readAtStart, toVerify, unconfirmed } from '../../src/task/read-back.ts'
import { enforcedSample } from '../support/enforced-sample.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { fakeTask, recorded } from '../support/fake-task.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const pids = enforced({ kind: 'limit', name: 'pids', requested: '20' })
const user = weakened({ kind: 'isolation', name: 'user', requested: 'own' }, 'no numbers are left', 'more')
const root = skipped({ kind: 'isolation', name: 'root', requested: 'private' }, 'no mounts', null)

describe('rows after what was read back', () => {
  it('keep what holds, and what was less than enforced already', () => {
    const read = [
      { ...pids, verdict: 'holds', inForce: '20' },
      { ...user, verdict: 'differs', inForce: '0' },
      { ...root, verdict: 'unread', inForce: null },
    ] as const
    assert.deepEqual(confirmed(read), [pids, user, root])
  })

  it('are weakened where something else is in force, or nothing', () => {
    const reasons = (['max', null] as const).map(
      inForce => confirmed([{ ...pids, verdict: 'differs', inForce }])[0],
    )
    assert.deepEqual(
      reasons.map(row => [row?.status, row?.reason, row?.chosen]),
      [
        ['weakened', 'the kernel says otherwise: max', false],
        ['weakened', 'the kernel says otherwise: nothing', false],
      ],
    )
  })

  it('are weakened where nobody has looked, but for those that claim nothing more', () => {
    const [first, ...others] = unconfirmed([pids, user, root])
    assert.deepEqual([first?.status, first?.chosen, others], ['weakened', false, [user, root]])
    assert.match(`${first?.reason}`, /has not been read back/)
  })
})

describe('what rows are compared with', () => {
  it('is what was asked of the kernel, the start and the limits that hold', () => {
    const task = recorded(fakeTask())
    const start = new FakeShim(task.dir).started()
    assert.deepEqual(toVerify(task, [pids], { pids: 20 }), {
      start,
      asked: null,
      rows: [pids],
      resources: { pids: 20 },
      inside: null,
    })
    assert.deepEqual(toVerify(task, [], null).resources, {})
  })

  it('is, of what runs inside another task, also what that one was started with', () => {
    const task = recorded(fakeTask())
    new FakeShim(task.dir).started()
    const target = temporaryDirectory('target')
    const start = { startedAt: 7 } as StartRecord
    const inside = { alive: join(target, 'alive'), start }
    const request = Object.assign({}, task.file.spec.request, { inside })
    Object.assign(task.file.spec, { request })
    assert.deepEqual(toVerify(task, [], null).inside, { start, enforced: null })
    writeFileSync(join(target, 'enforced.json'), JSON.stringify(enforcedSample))
    assert.deepEqual(toVerify(task, [], null).inside, { start, enforced: enforcedSample })
  })

  it('is believed only where it is what we write', () => {
    const task = recorded(fakeTask())
    new FakeShim(task.dir).started()
    Object.assign(task.file.spec, { asked: { seccomp: 'perhaps' } })
    assert.throws(() => toVerify(task, [], null), { code: 'STATE_CORRUPT' })
  })
})

describe('what the shim has read back', () => {
  it('is compared with the rows as they were decided, also when they have been weakened by it since', () => {
    const compared: ToVerify[] = []
    const task = fakeTask({
      planner: {
        plan: () => assert.fail('it has been planned'),
        recorded: (asked, record) => {
          assert.deepEqual(record, enforcedSample)
          compared.push(asked)
          return []
        },
      },
    })
    const differs = { ...pids, verdict: 'differs', inForce: 'max' } as const
    const enforcement = [...confirmed([differs]), ...unconfirmed([pids]), user]
    task.file.intend({ enforcement, logs: task.file.spec.logs, launchers: [] })
    new FakeShim(task.dir).started()
    assert.equal(readAtStart(task), null)
    writeFileSync(`${task.dir}/enforced.json`, JSON.stringify(enforcedSample))
    assert.deepEqual(readAtStart(task), [])
    assert.deepEqual(
      compared[0]?.rows.map(({ status }) => status),
      ['enforced', 'enforced', 'weakened'],
    )
  })
})
