import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import type { Enforcement, VerifiedRow } from '../../../src/api.ts'
import type { ReadRow } from '../../../src/platform/port.ts'
import { enforced } from '../../../src/platform/rows.ts'
import type { RunningLimits } from '../../../src/task/running/limits.ts'
import { verify } from '../../../src/task/running/verify.ts'
import { enforcedSample } from '../../support/enforced-sample.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { fakeTask } from '../../support/fake-task.ts'

type Verdicts = Readonly<Record<string, VerifiedRow['verdict']>>

const pids = enforced({ kind: 'limit', name: 'pids', requested: '20' })
const user = enforced({ kind: 'isolation', name: 'user', requested: 'nobody' })

const found = (rows: readonly Enforcement[], when: string, verdicts: Verdicts): readonly ReadRow[] =>
  rows.map(row => ({ ...row, verdict: verdicts[row.name] ?? 'holds', inForce: `${row.requested} ${when}` }))

/** Of a task that was started with both rows. `then`, `now`: what is read of it; null: nothing. */
function verified({
  then = {},
  now = {},
  current = [pids, user],
  isGone = false,
}: {
  then?: Verdicts | null
  now?: Verdicts | null
  current?: readonly Enforcement[]
  isGone?: boolean
}) {
  const task = fakeTask({
    planner: {
      plan: () => assert.fail('it has been planned'),
      recorded: ({ rows }) => found(rows, 'then', then ?? {}),
    },
  })
  task.file.intend({ enforcement: [pids, user], logs: task.file.spec.logs, launchers: [] })
  const shim = new FakeShim(task.dir)
  shim.started()
  if (then !== null) writeFileSync(`${task.dir}/enforced.json`, JSON.stringify(enforcedSample))
  if (isGone) shim.gone()
  const planner = {
    ...task.planner,
    inForce: ({ rows }: { rows: readonly Enforcement[] }) => (now === null ? null : found(rows, 'now', now)),
  }
  const limits = { current: { revision: 0, resources: null, enforcement: current } } as RunningLimits
  const { verdict, live, rows } = verify({ ...task, planner }, limits)
  return {
    verdict,
    live,
    rows: rows.map(({ name, verdict, inForce, atStart }) => [name, verdict, inForce, atStart]),
  }
}

const holds = (inForce: string) => ({ verdict: 'holds', inForce })

describe('what was asked for a task, and what is in force', () => {
  it('is read now, and stands beside what the shim has read', () => {
    assert.deepEqual(verified({ now: { user: 'unverifiable' } }), {
      verdict: 'holds',
      live: true,
      rows: [
        ['pids', 'holds', '20 now', holds('20 then')],
        ['user', 'unverifiable', 'nobody now', holds('nobody then')],
      ],
    })
  })

  it('is what was read at the start once nothing is left to be read', () => {
    const atStart = {
      verdict: 'holds',
      live: false,
      rows: [
        ['pids', 'holds', '20 then', holds('20 then')],
        ['user', 'holds', 'nobody then', holds('nobody then')],
      ],
    }
    assert.deepEqual(verified({ isGone: true }), atStart)
    assert.deepEqual(verified({ now: null }), atStart)
  })

  it('is unread where neither was', () => {
    const { verdict, rows } = verified({ then: null, isGone: true })
    assert.deepEqual([verdict, rows[0]], ['unread', ['pids', 'unread', 'the task has ended', null]])
  })

  it('is of the start only for rows that no update has changed since', () => {
    const { rows } = verified({ current: [{ ...pids, requested: '30' }, user] })
    assert.deepEqual(rows[0], ['pids', 'holds', '30 now', null])
    assert.deepEqual(rows[1]?.[3], holds('nobody then'))
  })

  for (const [what, seen, verdict] of [
    ['differs now, whatever else is unread', { now: { pids: 'unread', user: 'differs' } }, 'differs'],
    ['differed at the start alone', { then: { pids: 'differs' } }, 'differs'],
    ['is unread', { now: { pids: 'unread' } }, 'unread'],
    ['was unread at the start alone', { then: { pids: 'unread' } }, 'holds'],
  ] as const)
    it(`says ${verdict} in all where a row ${what}`, () => assert.equal(verified(seen).verdict, verdict))
})
