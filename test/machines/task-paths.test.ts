import assert from 'node:assert/strict'
import { getShortestPaths, getSimplePaths } from 'xstate/graph'
import {
  passedStates,
  persistTask,
  phaseOf,
  phases,
  restoreTask,
  snapshotFault,
  stateOf,
  type TaskEvent,
} from '../../machines/index.ts'
import {
  type Call,
  exited,
  kill,
  launched,
  launchFailed,
  recordingMachine,
  start,
  stop,
  taskAfter,
} from './samples.ts'

const events: TaskEvent[] = [
  { type: 'LIMIT' },
  { type: 'CONFIGURE', name: 'other' },
  start,
  stop,
  kill,
  exited,
  launched,
  launchFailed,
  { type: 'xstate.error.actor.watch', error: new Error('gone') },
  { type: 'RETRY' },
]

const options = {
  events,
  input: { name: 'web' },
  serializeState: ({ value, context }: { value: unknown; context: object }) =>
    JSON.stringify([value, context]),
}

/** The events of a path without XState's own first one. */
function eventsOf(path: { readonly steps: readonly { readonly event: TaskEvent }[] }): TaskEvent[] {
  return path.steps.map(step => step.event).filter(event => events.includes(event))
}

describe('every path through the task machine', () => {
  const machine = recordingMachine()
  const paths = getSimplePaths(machine, options)

  it('reaches every phase, over many ways', () => {
    const reached = new Set(paths.map(path => phaseOf(path.state)))
    assert.deepEqual([...reached].sort(), [...phases].sort())
    assert.ok(paths.length > 50, `only ${paths.length} paths`)
  })

  it('ends in an outcome exactly when it ends in exited', () => {
    for (const { state } of paths) assert.equal(state.context.outcome !== null, state.value === 'exited')
  })

  it('passes exactly those states that its snapshot lists, in order', () => {
    for (const path of paths) {
      const task = taskAfter([])
      const seen: string[] = []
      task.subscribe(snapshot => {
        const passed = passedStates(snapshot)
        // What was listed once stays listed, and what is added ends in the state the task is in.
        assert.deepEqual(passed.slice(0, seen.length), seen)
        if (passed.length > seen.length) assert.equal(passed.at(-1), stateOf(snapshot))
        seen.push(...passed.slice(seen.length))
      })
      for (const event of eventsOf(path)) task.send(event)
      assert.deepEqual(seen, passedStates(path.state))
      task.stop()
    }
  })

  it('never reaches the exit without a start', () => {
    const toExit = getShortestPaths(machine, options).filter(path => path.state.value === 'exited')
    assert.ok(toExit.length > 0)
    for (const path of toExit) assert.ok(path.steps.some(step => step.event.type === 'START'))
  })

  it('launches at most once and watches at most once at a time', () => {
    for (const path of paths) {
      const calls: Call[] = []
      taskAfter(eventsOf(path), calls)
      assert.ok(calls.filter(call => call.actor === 'launch').length <= 1)
      let watching = 0
      for (const { actor } of calls) {
        if (actor === 'watch') watching += 1
        if (actor === 'unwatch') watching -= 1
        assert.ok(watching === 0 || watching === 1)
      }
    }
  })

  it('leaves a snapshot that survives JSON and restore with the same state, context and actors', () => {
    for (const path of paths) {
      const steps = eventsOf(path)
      const task = taskAfter(steps)
      const stored = persistTask(task)
      const label = steps.map(event => event.type).join(' > ')
      assert.equal(snapshotFault(stored), null, label)
      assert.deepEqual(stored.context, task.getSnapshot().context, label)
      const calls: Call[] = []
      const restored = restoreTask(recordingMachine(calls), JSON.parse(JSON.stringify(stored)))
      restored.start()
      assert.equal(restored.getSnapshot().status, task.getSnapshot().status, label)
      assert.deepEqual(restored.getSnapshot().value, task.getSnapshot().value, label)
      assert.deepEqual(restored.getSnapshot().context, task.getSnapshot().context, label)
      const children = Object.keys(task.getSnapshot().children).sort()
      assert.deepEqual(Object.keys(restored.getSnapshot().children).sort(), children, label)
      assert.deepEqual(calls.map(call => call.actor).sort(), children, label)
      restored.stop()
      task.stop()
    }
  })
})
