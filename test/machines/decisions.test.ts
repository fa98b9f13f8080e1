import assert from 'node:assert/strict'
import {
  type Call,
  decide,
  decisions,
  type Phase,
  phaseOf,
  phases,
  refusal,
  taskStates,
} from '../../machines/index.ts'
import { taskAfter, wayTo } from './samples.ts'

// a: allowed, i: idempotent, -: refused. Columns as in the header.
const table = `
             limit configureTaskDir start open id wait signal shutdown forceStop update usage logs$ exec destroy
configured   a     a                a     a    -  -    -      -        -         -      -     -     -    a
limited      a     a                a     -    -  -    -      -        -         -      -     -     -    a
launching    -     -                -     -    a  a    -      a        a         -      -     a     -    a
running      -     -                -     -    a  a    a      a        a         a      a     a     a    a
stopping     -     -                -     -    a  a    a      a        a         a      a     a     -    a
exited       -     -                -     -    a  a    -      i        i         -      -     a     -    a
`
const words: Record<string, string> = { a: 'allowed', i: 'idempotent', '-': 'refused' }
const [header = [], ...rows] = table
  .trim()
  .split('\n')
  .map(line => line.trim().split(/\s+/))

describe('the table of decisions', () => {
  it('has a row for each phase and a column for each call, here as there', () => {
    assert.deepEqual(
      rows.map(([phase]) => phase),
      [...phases],
    )
    for (const phase of phases) assert.deepEqual(Object.keys(decisions[phase]).sort(), [...header].sort())
  })

  for (const [phase, ...cells] of rows as [Phase, ...string[]][]) {
    for (const [column, call] of (header as Call[]).entries()) {
      const expected = words[cells[column] ?? '']
      it(`${call}() is ${expected} in ${phase}`, () => {
        assert.equal(decide(phase, call), expected)
      })
    }
  }

  it('names a state for whatever changes one', () => {
    for (const phase of phases) {
      for (const decision of Object.values(decisions[phase])) {
        const target = /^goes to (\w+)$/.exec(decision)?.[1]
        if (target !== undefined)
          assert.ok(
            taskStates.some(state => state === target),
            decision,
          )
      }
    }
  })

  it('says in a sentence what was refused, when, and when it is possible', () => {
    assert.equal(
      refusal('running', 'limit'),
      'limit() is refused: the task is running. It is possible while the task is configured or limited.',
    )
    assert.equal(
      refusal('configured', 'signal'),
      'signal() is refused: the task has not been started. It is possible while the task is running or stopping.',
    )
  })

  it('tells launching from limited', () => {
    for (const phase of phases) assert.equal(phaseOf(taskAfter(wayTo[phase]).getSnapshot()), phase)
  })
})

describe('the table of decisions and the machine', () => {
  const eventOf = {
    limit: { type: 'LIMIT' },
    configureTaskDir: { type: 'CONFIGURE', name: 'x' },
    start: { type: 'START', key: 'k', at: 1 },
    shutdown: { type: 'STOP', signal: 'SIGTERM', graceMs: 0, at: 1 },
    forceStop: { type: 'KILL', at: 1 },
  } as const

  for (const phase of phases) {
    it(`agree about a task that is ${phase}`, () => {
      const snapshot = taskAfter(wayTo[phase]).getSnapshot()
      for (const [call, event] of Object.entries(eventOf))
        assert.equal(snapshot.can(event), decide(phase, call as Call) === 'allowed', call)
    })
  }
})
