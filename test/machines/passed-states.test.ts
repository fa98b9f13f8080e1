import assert from 'node:assert/strict'
import {
  lostOutcome,
  outcomeOf,
  passedStates,
  persistTask,
  markExited,
  type StopRequest,
  type TaskEvent,
} from '../../machines/index.ts'
import {
  exitRecord,
  exited,
  kill,
  launched,
  launchFailed,
  start,
  startRecord,
  stop,
  taskAfter,
} from './samples.ts'

const ended = outcomeOf(exitRecord, String)
const lost = lostOutcome('found dead', 99)

function passedAfter(events: readonly TaskEvent[]) {
  return passedStates(taskAfter(events).getSnapshot()).join(' ')
}

function passedWhenFound(
  events: readonly TaskEvent[],
  outcome: typeof ended,
  record: typeof startRecord | null,
) {
  return passedStates(markExited(persistTask(taskAfter(events)), 'web-1', outcome, record)).join(' ')
}

describe('the states a task has passed', () => {
  it('follow from what is stored, in every state', () => {
    assert.equal(passedAfter([]), '')
    assert.equal(passedAfter([{ type: 'LIMIT' }, start]), 'limited')
    assert.equal(passedAfter([start, stop]), 'limited')
    assert.equal(passedAfter([start, launched]), 'limited running')
    assert.equal(passedAfter([start, launched, stop]), 'limited running stopping')
    assert.equal(passedAfter([start, stop, launched]), 'limited running stopping')
    assert.equal(passedAfter([start, launched, exited]), 'limited running exited')
    assert.equal(passedAfter([start, launched, kill, exited]), 'limited running stopping exited')
  })

  it('do not hold a run or a stop when the start has failed', () => {
    assert.equal(passedAfter([start, launchFailed]), 'limited exited')
    assert.equal(passedAfter([start, stop, launchFailed]), 'limited exited')
  })

  it('hold the stop that another supervisor has asked for', () => {
    const request: StopRequest = { reason: 'shutdown', signal: 'SIGTERM', requestedAt: 1, killAt: 2 }
    const end: TaskEvent = { type: 'EXITED', outcome: ended, stop: request, at: 3 }
    assert.equal(passedAfter([start, launched, end]), 'limited running stopping exited')
    assert.deepEqual(taskAfter([start, launched, end]).getSnapshot().context.stop, request)
    assert.equal(passedAfter([start, launched, stop, end]), 'limited running stopping exited')
  })

  describe('of one that is found ended', () => {
    it('hold the run that nobody had written down, by its start record or by its exit record', () => {
      assert.equal(passedWhenFound([start], lost, startRecord), 'limited running exited')
      assert.equal(passedWhenFound([start], ended, null), 'limited running exited')
      assert.equal(passedWhenFound([start, stop], ended, startRecord), 'limited running stopping exited')
    })

    it('hold no run of one that was never started', () => {
      assert.equal(passedWhenFound([start], lost, null), 'limited exited')
    })

    it('go on from what had been written down', () => {
      assert.equal(passedWhenFound([start, launched], lost, null), 'limited running exited')
      assert.equal(
        passedWhenFound([start, launched, stop], ended, startRecord),
        'limited running stopping exited',
      )
      assert.equal(passedWhenFound([start, launched, exited], ended, startRecord), 'limited running exited')
    })
  })
})
