import assert from 'node:assert/strict'
import { type Call, decide, phaseOf, phases, refusal } from '../../machines/index.ts'
import { taskAfter, wayTo } from './samples.ts'

describe('the table of decisions', () => {
  it('allows what reads and what removes a task at any time after its start', () => {
    for (const call of ['id', 'wait', 'logs$', 'destroy'] as const)
      for (const phase of ['launching', 'running', 'stopping', 'exited'] as const)
        assert.equal(decide(phase, call), 'allowed', `${call} in ${phase}`)
  })

  it('takes what describes a task before its start only', () => {
    for (const call of ['limit', 'configureTaskDir', 'start'] as const)
      for (const phase of phases)
        assert.equal(decide(phase, call) === 'allowed', phase === 'configured' || phase === 'limited')
  })

  it('answers a stop of what has ended, and refuses one of what was not started', () => {
    for (const call of ['shutdown', 'forceStop'] as const) {
      assert.equal(decide('exited', call), 'idempotent')
      assert.equal(decide('limited', call), 'refused')
      assert.equal(decide('launching', call), 'allowed')
    }
  })

  it('sends nothing to a process that may not be there', () => {
    for (const call of ['signal', 'resize', 'openInput', 'endInput', 'update', 'usage', 'exec'] as const) {
      assert.equal(decide('launching', call), 'refused')
      assert.equal(decide('exited', call), 'refused')
      assert.equal(decide('running', call), 'allowed')
    }
    assert.equal(decide('stopping', 'exec'), 'refused')
    assert.equal(decide('stopping', 'update'), 'allowed')
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
