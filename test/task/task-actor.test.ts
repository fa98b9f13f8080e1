import { strict as assert } from 'node:assert'
import {
  lostOutcome,
  markExited,
  type StartRecord,
  stateOf,
  type StoredSnapshot,
} from '../../machines/index.ts'
import { KeepAlive } from '../../src/spawn/keep-alive.ts'
import { thisInstant, untilEnded, untilLaunched, untilStopped } from '../../src/task/awaited-ends.ts'
import { provideTaskMachine, type TaskEffects } from '../../src/task/provide.ts'
import { TaskActor } from '../../src/task/task-actor.ts'
import { settle } from '../support/fake-clock.ts'
import { configured } from '../support/fake-task.ts'
import { refuses } from '../support/refuses.ts'

const start = { task: { pid: 1, startTime: 1 }, startedAt: 5 } as StartRecord
const ended = { ...lostOutcome('x', 9), cause: 'exited', exitCode: 3, failure: null } as ReturnType<
  typeof lostOutcome
>

/** The effects of one task, each of which goes as the test says. */
function effects() {
  const seen = { launched: 0, watches: 0, stops: 0, aborted: 0 }
  let report: Parameters<TaskEffects['watch']>[0] = () => {}
  let launched: (record: StartRecord) => void = () => {}
  let failed: (error: unknown) => void = () => {}
  let unstoppable: (error: unknown) => void = () => {}
  const task: TaskEffects = {
    launch: abandoned => {
      seen.launched++
      abandoned.addEventListener('abort', () => seen.aborted++)
      return new Promise((resolve, reject) => {
        launched = resolve
        failed = reject
      })
    },
    watch: heard => {
      seen.watches++
      report = heard
      return () => {}
    },
    stop: () => {
      seen.stops++
      return new Promise((_, reject) => (unstoppable = reject))
    },
  }
  return {
    task,
    seen,
    launch: async () => {
      launched(start)
      await settle()
    },
    fail: (error: unknown) => failed(error),
    cannotStop: (error: unknown) => unstoppable(error),
    end: () => report(ended),
  }
}

describe('the machine of one task', () => {
  let task: ReturnType<typeof effects>
  let moves: string[]
  let actor: TaskActor
  const services = () => ({
    machine: provideTaskMachine(new Map([['k', task.task]])),
    inspect: undefined,
    keepAlive: new KeepAlive(),
  })
  const make = (...restored: [] | [ConstructorParameters<typeof TaskActor>[2]]) =>
    new TaskActor(services(), snapshot => void moves.push(stateOf(snapshot)), ...restored)
  beforeEach(() => {
    task = effects()
    moves = []
    actor = make()
  })
  afterEach(() => actor.stop())
  const begin = () => actor.live().send({ type: 'START', key: 'k', at: 1 })
  const stop = () => actor.live().send({ type: 'STOP', signal: 'SIGTERM', graceMs: 5, ...thisInstant() })

  it('asks for one launch, and is running when it has come about', async () => {
    begin()
    const launched = untilLaunched(actor)
    assert.equal(task.seen.launched, 1)
    await task.launch()
    await launched
    assert.equal(moves.at(-1), 'running')
  })

  it('rejects with what the launch failed with, and that is the result too', async () => {
    begin()
    const launched = untilLaunched(actor)
    task.fail(new Error('no room'))
    const error = await refuses(launched, { code: 'START_FAILED' })
    assert.match(error.message, /no room/)
    assert.equal((await untilEnded(actor)).cause, 'startFailed')
  })

  it('tells all who wait how it ended, those before and those after', async () => {
    begin()
    await task.launch()
    const before = untilEnded(actor)
    task.end()
    assert.deepEqual(await before, await untilEnded(actor))
    assert.equal((await before).exitCode, 3)
  })

  it('is stopped once by the first who asks; all of them hear the end', async () => {
    begin()
    await task.launch()
    stop()
    stop()
    const stopped = [untilStopped(actor), untilStopped(actor)]
    await settle()
    assert.equal(task.seen.stops, 1)
    task.end()
    for (const result of await Promise.all(stopped)) assert.equal(result.exitCode, 3)
  })

  it('that cannot be stopped says why, and is still there to be tried again', async () => {
    begin()
    await task.launch()
    stop()
    const stopped = untilStopped(actor)
    task.cannotStop(new Error('frozen'))
    await assert.rejects(stopped, /frozen/)
    assert.notEqual(stateOf(actor.snapshot()), 'exited')
  })

  it('let go of ends every wait with INVALID_STATE, abandons its launch, and says nothing any more', async () => {
    begin()
    const launched = untilLaunched(actor)
    actor.stop()
    await refuses(launched, { code: 'INVALID_STATE', message: /goes on without it/ })
    await refuses(untilEnded(actor), { code: 'INVALID_STATE' })
    assert.deepEqual([actor.isStopped, task.seen.aborted, actor.persisted()], [true, 1, null])
  })

  it('keeps the program running while somebody waits, and not otherwise', async () => {
    const keepAlive = new KeepAlive()
    const handle = { held: false, ref: () => (handle.held = true), unref: () => (handle.held = false) }
    keepAlive.add(handle)
    actor = new TaskActor({ ...services(), keepAlive }, () => {})
    begin()
    const launched = untilLaunched(actor)
    assert.equal(handle.held, true)
    await task.launch()
    await launched
    assert.equal(handle.held, false)
  })

  it('calls back at its end, or when it is let go of; not whoever hears no more', async () => {
    const heard: string[] = []
    actor.onEnd(() => void heard.push('one'))
    const forget = actor.onEnd(() => void heard.push('two'))
    forget()
    actor.stop()
    assert.deepEqual(heard, ['one'])
  })

  describe('whose input has failed half way', () => {
    const failure = { code: 'LOST', message: 'half', stage: 'stdin' } as const

    it('says so in its result, unless that has a failure of its own', async () => {
      begin()
      await task.launch()
      assert.equal(actor.inputFailed(failure), true)
      assert.equal(actor.inputFailed(failure), false)
      task.end()
      assert.deepEqual((await untilEnded(actor)).failure, failure)
      const own = { ...ended, failure: { code: 'LOST', message: 'own' } } as typeof ended
      assert.equal(actor.withInputFailure(own), own)
    })

    it('after its end has its result already', async () => {
      begin()
      await task.launch()
      task.end()
      await settle()
      assert.equal(actor.inputFailed(failure), false)
      assert.equal((await untilEnded(actor)).failure, null)
    })
  })

  describe('that was stored', () => {
    const stored = () => markExited(configured(), 'k', lostOutcome('gone', 5), start)

    it('is read without an actor once its end is known', async () => {
      actor = make({ snapshot: stored(), final: true })
      assert.equal(stateOf(actor.snapshot()), 'exited')
      assert.equal((await untilEnded(actor)).cause, 'lost')
      assert.equal(actor.isStored, true)
      assert.deepEqual(moves, [])
    })

    it('gives its present state to whoever looks at its states, and then ends', () => {
      actor = make({ snapshot: stored(), final: true })
      const states: string[] = []
      actor
        .states$()
        .subscribe({ next: state => void states.push(state), complete: () => states.push('end') })
      assert.deepEqual(states, ['exited', 'end'])
    })
  })

  describe('that rests', () => {
    let tellEnd: () => void
    let ended: number
    beforeEach(async () => {
      begin()
      await task.launch()
      const snapshot = JSON.parse(JSON.stringify(actor.persisted())) as StoredSnapshot
      actor.stop()
      task.seen.watches = ended = 0
      moves = []
      actor = make({ snapshot, final: false })
      actor.rest(onEnd => {
        tellEnd = onEnd
        return () => {
          ended++
        }
      })
    })

    it('is what was stored of it, and has no actor, whoever looks at it or stores it', () => {
      assert.equal(stateOf(actor.snapshot()), 'running')
      assert.equal(actor.persisted()?.value, 'running')
      assert.equal(actor.isStored, true)
      assert.deepEqual([task.seen.watches, moves], [0, []])
    })

    it('finds out by its own watch how the task has ended, once it is told that it has', async () => {
      tellEnd()
      assert.deepEqual([task.seen.watches, ended], [1, 1])
      task.end()
      assert.equal((await untilEnded(actor)).exitCode, 3)
      assert.equal(moves.at(-1), 'exited')
    })

    it('has an actor for whoever waits for it or stops it, and hears no more of the other watch', async () => {
      const waiting = untilEnded(actor)
      assert.deepEqual([task.seen.watches, ended, actor.isStored], [1, 1, false])
      stop()
      assert.equal(task.seen.stops, 1)
      task.end()
      assert.equal((await waiting).exitCode, 3)
    })

    it('that was let go of does nothing any more, whoever asks for its actor', async () => {
      actor.stop()
      assert.deepEqual([ended, actor.isStopped, actor.persisted()], [1, true, null])
      await refuses(untilEnded(actor), { code: 'INVALID_STATE' })
      const states: string[] = []
      actor
        .states$()
        .subscribe({ next: state => void states.push(state), complete: () => states.push('end') })
      assert.deepEqual(states, ['running', 'end'])
      assert.deepEqual([task.seen.watches, moves], [0, []])
    })
  })

  it('finds nobody for a key that its supervisor does not hold: the start has failed', async () => {
    actor.live().send({ type: 'START', key: 'other', at: 1 })
    await refuses(untilLaunched(actor), { message: /not held by this supervisor/ })
  })

  it('has an instant on both clocks, of which the steady one may be later', () => {
    const { at, boot } = thisInstant()
    const later = thisInstant(10)
    assert.ok(Math.abs(Date.now() - at) < 60_000)
    if (boot !== undefined && later.boot !== undefined) assert.ok(later.boot.at >= boot.at + 10)
  })
})
