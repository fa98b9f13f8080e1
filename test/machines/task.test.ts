import assert from 'node:assert/strict'
import { createActor, fromPromise } from 'xstate'
import {
  type LaunchInput,
  type LaunchOutput,
  passedStates,
  persistTask,
  type Phase,
  phaseOf,
  phases,
  type TaskEvent,
} from '../../machines/index.ts'
import {
  type Call,
  exited,
  kill,
  launched,
  launchFailed,
  outcome,
  recordingMachine,
  start,
  startRecord,
  stop,
  taskAfter,
  wayTo,
} from './samples.ts'

const events: Readonly<Record<TaskEvent['type'], TaskEvent>> = {
  LIMIT: { type: 'LIMIT' },
  CONFIGURE: { type: 'CONFIGURE', name: 'other' },
  START: start,
  STOP: stop,
  KILL: kill,
  EXITED: exited,
  RECOVER: { type: 'RECOVER', key: 'web-1', outcome, start: null },
  RETRY: { type: 'RETRY' },
  'xstate.done.actor.launch': launched,
  'xstate.error.actor.launch': launchFailed,
  'xstate.error.actor.watch': { type: 'xstate.error.actor.watch', error: new Error('gone') },
}

/** Where each event leads from each phase; `-` is refused. */
const matrix: Readonly<Record<Phase, Readonly<Record<TaskEvent['type'], Phase | '-'>>>> = {
  configured: {
    LIMIT: 'limited',
    CONFIGURE: 'configured',
    START: 'launching',
    STOP: '-',
    KILL: '-',
    EXITED: '-',
    RECOVER: 'exited',
    RETRY: '-',
    'xstate.done.actor.launch': '-',
    'xstate.error.actor.launch': '-',
    'xstate.error.actor.watch': '-',
  },
  limited: {
    LIMIT: 'limited',
    CONFIGURE: 'limited',
    START: 'launching',
    STOP: '-',
    KILL: '-',
    EXITED: '-',
    RECOVER: 'exited',
    RETRY: '-',
    'xstate.done.actor.launch': '-',
    'xstate.error.actor.launch': '-',
    'xstate.error.actor.watch': '-',
  },
  launching: {
    LIMIT: '-',
    CONFIGURE: '-',
    START: '-',
    STOP: 'launching',
    KILL: 'launching',
    EXITED: 'exited',
    RECOVER: 'exited',
    RETRY: '-',
    'xstate.done.actor.launch': 'running',
    'xstate.error.actor.launch': 'exited',
    'xstate.error.actor.watch': '-',
  },
  running: {
    LIMIT: '-',
    CONFIGURE: '-',
    START: '-',
    STOP: 'stopping',
    KILL: 'stopping',
    EXITED: 'exited',
    RECOVER: 'exited',
    RETRY: '-',
    'xstate.done.actor.launch': '-',
    'xstate.error.actor.launch': '-',
    'xstate.error.actor.watch': 'running',
  },
  stopping: {
    LIMIT: '-',
    CONFIGURE: '-',
    START: '-',
    STOP: 'stopping',
    KILL: 'stopping',
    EXITED: 'exited',
    RECOVER: 'exited',
    RETRY: '-',
    'xstate.done.actor.launch': '-',
    'xstate.error.actor.launch': '-',
    'xstate.error.actor.watch': 'stopping',
  },
  exited: {
    LIMIT: '-',
    CONFIGURE: '-',
    START: '-',
    STOP: '-',
    KILL: '-',
    EXITED: '-',
    RECOVER: '-',
    RETRY: '-',
    'xstate.done.actor.launch': '-',
    'xstate.error.actor.launch': '-',
    'xstate.error.actor.watch': '-',
  },
}

describe('the task machine', () => {
  for (const phase of phases) {
    for (const [type, event] of Object.entries(events)) {
      const target = matrix[phase][event.type]
      it(`${target === '-' ? 'refuses' : `goes to ${target} on`} ${type} in ${phase}`, () => {
        const task = taskAfter(wayTo[phase])
        const before = task.getSnapshot()
        assert.equal(phaseOf(before), phase)
        if (type !== 'STOP' || phase !== 'stopping') assert.equal(before.can(event), target !== '-')
        // XState itself warns about events to an actor that has ended.
        if (phase === 'exited') return
        task.send(event)
        assert.equal(phaseOf(task.getSnapshot()), target === '-' ? phase : target)
        if (target === '-') assert.deepEqual(task.getSnapshot().context, before.context)
      })
    }
  }

  it('goes from configured over limited to a launch with no limits asked for', () => {
    const calls: Call[] = []
    const task = taskAfter([start], calls)
    assert.deepEqual(task.getSnapshot().value, { limited: 'launching' })
    assert.equal(task.getSnapshot().context.limits, false)
    assert.deepEqual(calls, [{ actor: 'launch', input: { key: 'web-1' } }])
  })

  it('launches once, however often start is sent', () => {
    const calls: Call[] = []
    taskAfter([start, start, launched, start], calls)
    assert.equal(calls.filter(call => call.actor === 'launch').length, 1)
  })

  it('watches from running to the exit without a gap', () => {
    const calls: Call[] = []
    const task = taskAfter([start, launched, stop, kill], calls)
    assert.deepEqual(task.getSnapshot().context.start, startRecord)
    assert.equal(calls.filter(call => call.actor === 'watch').length, 1)
    assert.ok(!calls.some(call => call.actor === 'unwatch'))
    task.send(exited)
    assert.equal(calls.filter(call => call.actor === 'unwatch').length, 1)
    assert.deepEqual(task.getSnapshot().context.outcome, outcome)
  })

  it('remembers a stop while launching and obeys it once running', () => {
    const calls: Call[] = []
    const task = taskAfter([start, stop, launched], calls)
    assert.equal(task.getSnapshot().value, 'stopping')
    assert.deepEqual(
      calls.map(call => call.actor),
      ['launch', 'watch', 'stop'],
    )
    assert.deepEqual(calls.at(-1)?.input, {
      key: 'web-1',
      signal: 'SIGTERM',
      killAt: 1_700_000_005_100,
    })
  })

  for (const [what, end] of [
    ['records of an end', exited],
    ['an end found elsewhere', { type: 'RECOVER', key: 'web-1', outcome, start: null }],
  ] as const) {
    it(`lets go of a launch at ${what}, and a late failure of it changes nothing`, async () => {
      let signal: AbortSignal | undefined
      let fail = (_error: Error): void => {}
      const machine = recordingMachine().provide({
        actors: {
          launch: fromPromise<LaunchOutput, LaunchInput>(launch => {
            signal = launch.signal
            return new Promise((_resolve, reject) => (fail = reject))
          }),
        },
      })
      const task = createActor(machine, { input: { name: 'web' } }).start()
      task.send(start)
      task.send(stop)
      assert.equal(signal?.aborted, false)
      task.send(end)
      assert.equal(signal?.aborted, true)
      fail(new Error('too late'))
      await new Promise(resolve => setImmediate(resolve))
      assert.equal(task.getSnapshot().status, 'done')
      assert.deepEqual(task.getSnapshot().context.outcome, outcome)
      assert.deepEqual(Object.keys(persistTask(task).children), [])
    })
  }

  it('remembers a kill while launching, with its own time as the deadline', () => {
    const task = taskAfter([start, kill, launched])
    assert.equal(task.getSnapshot().value, 'stopping')
    assert.deepEqual(task.getSnapshot().context.stop, {
      reason: 'force',
      signal: 'SIGKILL',
      requestedAt: 1_700_000_000_200,
      killAt: 1_700_000_000_200,
    })
  })

  it('keeps the first reason and signal and the earliest deadline', () => {
    const task = taskAfter([
      ...wayTo.stopping,
      { type: 'STOP', signal: 'SIGINT', graceMs: 10, at: 1_700_000_000_300 },
    ])
    assert.deepEqual(task.getSnapshot().context.stop, {
      reason: 'shutdown',
      signal: 'SIGTERM',
      requestedAt: 1_700_000_000_100,
      killAt: 1_700_000_000_310,
    })
  })

  it('does not start the stop actor again for a later deadline', () => {
    const calls: Call[] = []
    const task = taskAfter(
      [...wayTo.stopping, { type: 'STOP', signal: 'SIGTERM', graceMs: 9000, at: 1_700_000_000_300 }],
      calls,
    )
    assert.equal(task.getSnapshot().context.stop?.killAt, 1_700_000_005_100)
    assert.equal(calls.filter(call => call.actor === 'stop').length, 1)
  })

  it('starts the stop actor again with the new deadline on a kill', () => {
    const calls: Call[] = []
    taskAfter([...wayTo.stopping, kill], calls)
    const stops = calls.filter(call => call.actor === 'stop').map(call => call.input)
    assert.deepEqual(stops, [
      { key: 'web-1', signal: 'SIGTERM', killAt: 1_700_000_005_100 },
      { key: 'web-1', signal: 'SIGTERM', killAt: 1_700_000_000_200 },
    ])
  })

  it('takes an endless grace and keeps the deadline JSON', () => {
    const task = taskAfter([
      start,
      launched,
      { type: 'STOP', signal: 'SIGTERM', graceMs: Number.POSITIVE_INFINITY, at: 1 },
    ])
    assert.equal(task.getSnapshot().context.stop?.killAt, Number.MAX_SAFE_INTEGER)
  })

  it('ends with startFailed, the failure and its time when the launch fails', () => {
    const { value, context, status } = taskAfter([start, launchFailed]).getSnapshot()
    assert.equal(value, 'exited')
    assert.equal(status, 'done')
    assert.equal(context.outcome?.cause, 'startFailed')
    assert.deepEqual(context.outcome?.failure, {
      code: 'START_FAILED',
      message: 'no such program',
      stage: 'exec',
      errno: 'ENOENT',
    })
    assert.equal(context.outcome?.exitedAt, 7)
    assert.equal(context.outcome?.exitCode, null)
  })

  it('ends with startFailed even when a stop was remembered', () => {
    assert.equal(taskAfter([start, stop, launchFailed]).getSnapshot().context.outcome?.cause, 'startFailed')
  })

  it('has passed its changes of state, those made at once included', () => {
    const passed = (events: readonly TaskEvent[]) => passedStates(taskAfter(events).getSnapshot()).length
    assert.equal(passed(wayTo.configured), 0)
    assert.equal(passed([...wayTo.limited, { type: 'LIMIT' }]), 1)
    assert.equal(passed([start, stop, launched, kill, exited]), 4)
  })
})
