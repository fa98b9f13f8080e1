import assert from 'node:assert/strict'
import { createActor, fromCallback, fromPromise } from 'xstate'
import {
  lostOutcome,
  persistTask,
  phases,
  restoreTask,
  markExited,
  snapshotFault,
} from '../../machines/index.ts'
import {
  type Call,
  exited,
  outcome,
  recordingMachine,
  start,
  startRecord,
  stop,
  storedAt,
  taskAfter,
  wayTo,
} from './samples.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

describe('restoring a task', () => {
  it('runs launch again while launching, with the stored key', () => {
    const calls: Call[] = []
    restoreTask(recordingMachine(calls), storedAt('launching')).start()
    assert.deepEqual(calls, [{ actor: 'launch', input: { key: 'web-1' } }])
  })

  it('watches again and repeats the stop with the stored deadline', () => {
    const calls: Call[] = []
    restoreTask(recordingMachine(calls), storedAt('stopping')).start()
    assert.deepEqual(calls, [
      { actor: 'watch', input: { key: 'web-1' } },
      {
        actor: 'stop',
        input: { key: 'web-1', signal: 'SIGTERM', killAt: 1_700_000_005_100 },
      },
    ])
  })

  it('runs nothing for a task that has ended or was never started', () => {
    const calls: Call[] = []
    for (const phase of ['configured', 'limited', 'exited'] as const)
      restoreTask(recordingMachine(calls), storedAt(phase)).start()
    assert.deepEqual(calls, [])
  })

  it('leaves the stored snapshot as it was, so that it can be restored twice', () => {
    const stored = storedAt('stopping')
    const before = structuredClone(stored)
    restoreTask(recordingMachine(), stored).start()
    assert.deepEqual(stored, before)
  })

  it('hears of an end that lies in the past from the watch, at once', () => {
    const machine = recordingMachine().provide({
      actors: {
        watch: fromCallback(({ sendBack }) => {
          sendBack(exited)
        }),
      },
    })
    const task = restoreTask(machine, storedAt('running'))
    task.start()
    assert.equal(task.getSnapshot().value, 'exited')
    assert.deepEqual(task.getSnapshot().context.outcome, outcome)
  })

  it('takes on a remembered stop when a restored launch adopts the task', async () => {
    const machine = recordingMachine().provide({
      actors: { launch: fromPromise(async () => ({ start: startRecord })) },
    })
    const task = restoreTask(machine, persistTask(taskAfter([start, stop])))
    task.start()
    await turn()
    assert.equal(task.getSnapshot().value, 'stopping')
  })
})

describe('an actor that fails', () => {
  it('leaves the task stopping, and RETRY stops it again', async () => {
    const calls: Call[] = []
    const machine = recordingMachine(calls).provide({
      actors: {
        stop: fromPromise(async ({ input }) => {
          calls.push({ actor: 'stop', input })
          throw Object.assign(new Error('no reader'), { code: 'ENXIO' })
        }),
      },
    })
    const task = createActor(machine, { input: { name: 'web' } }).start()
    for (const event of wayTo.stopping) task.send(event)
    await turn()
    assert.equal(task.getSnapshot().value, 'stopping')
    assert.deepEqual(task.getSnapshot().context.stopFailure, {
      code: 'LOST',
      message: 'no reader',
      errno: 'ENXIO',
    })
    assert.equal(snapshotFault(persistTask(task)), null)
    task.send({ type: 'RETRY' })
    assert.equal(calls.filter(call => call.actor === 'stop').length, 2)
  })

  it('is not started again by a restore alone, but by RETRY after it', async () => {
    const failing = recordingMachine().provide({
      actors: { stop: fromPromise(async () => Promise.reject(new Error('no reader'))) },
    })
    const task = createActor(failing, { input: { name: 'web' } }).start()
    for (const event of wayTo.stopping) task.send(event)
    await turn()
    const calls: Call[] = []
    const restored = restoreTask(recordingMachine(calls), persistTask(task)).start()
    assert.deepEqual(
      calls.map(call => call.actor),
      ['watch'],
    )
    restored.send({ type: 'RETRY' })
    assert.deepEqual(
      calls.map(call => call.actor),
      ['watch', 'stop'],
    )
    assert.equal(restored.getSnapshot().context.stopFailure, null)
  })

  it('is started again by a second stop, even one with a later deadline', async () => {
    const inputs: unknown[] = []
    const machine = recordingMachine().provide({
      actors: {
        stop: fromPromise(async ({ input }) => {
          inputs.push(input)
          throw new Error('no reader')
        }),
      },
    })
    const task = createActor(machine, { input: { name: 'web' } }).start()
    for (const event of wayTo.stopping) task.send(event)
    await turn()
    task.send({ type: 'STOP', signal: 'SIGINT', graceMs: 60_000, at: 1_700_000_000_300 })
    assert.equal(inputs.length, 2)
    assert.deepEqual(inputs[1], inputs[0])
  })

  it('does not end the task when the stop comes to its own end', async () => {
    const machine = recordingMachine().provide({ actors: { stop: fromPromise(async () => {}) } })
    const task = createActor(machine, { input: { name: 'web' } }).start()
    for (const event of wayTo.stopping) task.send(event)
    await turn()
    assert.equal(task.getSnapshot().value, 'stopping')
    assert.equal(snapshotFault(persistTask(task)), null)
  })

  for (const phase of ['running', 'stopping'] as const) {
    it(`leaves a task in ${phase} that nobody watches, until RETRY`, () => {
      let broken = true
      const calls: Call[] = []
      const machine = recordingMachine().provide({
        actors: {
          watch: fromCallback(({ input }) => {
            if (broken) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
            calls.push({ actor: 'watch', input })
          }),
        },
      })
      const task = createActor(machine, { input: { name: 'web' } }).start()
      for (const event of wayTo[phase]) task.send(event)
      assert.equal(task.getSnapshot().value, phase)
      assert.equal(task.getSnapshot().context.watchFailure?.errno, 'EMFILE')
      assert.equal(snapshotFault(persistTask(task)), null)
      broken = false
      task.send({ type: 'RETRY' })
      assert.deepEqual(calls, [{ actor: 'watch', input: { key: 'web-1' } }])
      assert.equal(task.getSnapshot().context.watchFailure, null)
      task.send({ type: 'RETRY' })
      assert.equal(calls.length, 1)
    })
  }
})

describe('settling a task whose end became known while nobody looked', () => {
  const found = lostOutcome('found dead', 99)

  for (const phase of phases) {
    it(`stores the end of a task last seen ${phase}`, () => {
      const settled = markExited(storedAt(phase), 'web-1', found)
      assert.equal(snapshotFault(settled), null)
      assert.equal(settled.value, 'exited')
      assert.equal(settled.context.key, 'web-1')
      assert.deepEqual(settled.context.outcome, phase === 'exited' ? outcome : found)
      const calls: Call[] = []
      const task = restoreTask(recordingMachine(calls), settled).start()
      assert.equal(task.getSnapshot().status, 'done')
      assert.deepEqual(calls, [])
    })
  }
})
