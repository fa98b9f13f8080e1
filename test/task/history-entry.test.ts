import { strict as assert } from 'node:assert'
import { lostOutcome, type TaskContext } from '../../machines/index.ts'
import { withoutMessage, changeEntry, noteEntry } from '../../src/task/history-entry.ts'
import { recordedOutcome } from '../../src/task/recorded-outcome.ts'
import { plainExit } from '../support/exit-record.ts'
import { configured } from '../support/fake-task.ts'

describe('a change of state in the journal', () => {
  const context = (changes: Partial<TaskContext> = {}): TaskContext => ({
    ...configured().context,
    ...changes,
  })
  const entry = (from: string, to: string, changes: Partial<TaskContext> = {}) =>
    changeEntry({ from, to, sequence: 3 } as Parameters<typeof changeEntry>[0], context(changes), 999)

  it('has the time that is stored, so that whoever writes it later writes the same', () => {
    const start = { startedAt: 20 } as TaskContext['start']
    assert.equal(entry('limited', 'running', { start }).at.getTime(), 20)
    assert.equal(entry('configured', 'limited', { startRequestedAt: 10 }).at.getTime(), 10)
    const stop = { reason: 'shutdown', signal: 'SIGTERM', requestedAt: 30, killAt: 80 } as TaskContext['stop']
    const stopping = entry('running', 'stopping', { stop })
    assert.deepEqual(
      [stopping.at.getTime(), stopping.event, stopping.signal, stopping.graceMs],
      [30, 'STOP', 'SIGTERM', 50],
    )
  })

  it('has the present time of an end that nobody knows', () => {
    assert.equal(entry('running', 'exited', { outcome: lostOutcome('gone', null) }).at.getTime(), 999)
  })

  it('says what was asked for: limits or the start, a stop or a kill', () => {
    assert.equal(entry('configured', 'limited', { limits: true }).event, 'LIMIT')
    assert.equal(entry('configured', 'limited').event, 'START')
    const stop = { reason: 'force', signal: 'SIGKILL', requestedAt: 1, killAt: 1 } as TaskContext['stop']
    assert.deepEqual(
      [entry('running', 'stopping', { stop }), entry('running', 'stopping')].map(({ event, signal }) => [
        event,
        signal,
      ]),
      [
        ['KILL', 'SIGKILL'],
        ['KILL', 'SIGKILL'],
      ],
    )
  })

  it('has how the task ended, the signal by its name', () => {
    const outcome = recordedOutcome({ ...plainExit, exitCode: null, signal: 9 })
    const { event, exitCode, signal, cause, evidence } = entry('running', 'exited', { outcome })
    assert.deepEqual(
      { event, exitCode, signal, cause, evidence },
      { event: 'EXITED', exitCode: null, signal: 'SIGKILL', cause: outcome.cause, evidence: 'record' },
    )
  })

  it('calls a start that failed by that name, and has of its failure no words that could hold a secret', () => {
    const failure = {
      code: 'START_FAILED',
      stage: 'exec',
      errno: 'ENOENT',
      message: '/home/token/x',
      hint: 'h',
    } as const
    const outcome = { ...lostOutcome('x', 1), cause: 'startFailed', failure } as TaskContext['outcome']
    const failed = entry('limited', 'exited', { outcome })
    assert.equal(failed.event, 'launch failed')
    assert.deepEqual(failed.failure, { code: 'START_FAILED', stage: 'exec', errno: 'ENOENT' })
    assert.doesNotMatch(JSON.stringify(failed), /token/)
    assert.deepEqual(withoutMessage({ code: 'LOST' }), { code: 'LOST' })
  })

  it('is none for an event that changes no state, and that has no number', () => {
    const { sequence, from, to, event, signal } = noteEntry('running', 'SIGNAL', { signal: 'SIGHUP' })
    assert.deepEqual([sequence, from, to, event, signal], [null, 'running', 'running', 'SIGNAL', 'SIGHUP'])
  })
})
