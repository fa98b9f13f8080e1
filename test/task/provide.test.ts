import { strict as assert } from 'node:assert'
import { createActor, waitFor } from 'xstate'
import { lostOutcome, type Outcome, type StopInput } from '../../machines/index.ts'
import { provideTaskMachine, type TaskEffects } from '../../src/task/provide.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** A machine that runs, and what it asks of the task `key`. */
function running(key: string) {
  const shim = new FakeShim(temporaryDirectory('provide'))
  const start = shim.started()
  shim.gone()
  const asked: string[] = []
  const stops: StopInput[] = []
  let report: (outcome: Outcome) => void = () => assert.fail('nobody watches')
  const effects: TaskEffects = {
    launch: async abandoned => {
      asked.push(`launch ${abandoned.aborted}`)
      return start
    },
    watch: ended => {
      asked.push('watch')
      report = ended
      return () => asked.push('let go')
    },
    stop: async request => {
      asked.push('stop')
      stops.push(request)
    },
  }
  const actor = createActor(provideTaskMachine(new Map([['held', effects]])), { input: { name: 'web' } })
  actor.start()
  actor.send({ type: 'START', key, at: 1 })
  return { actor, asked, stops, report: (outcome: Outcome) => report(outcome) }
}

describe('the task machine with its effects', () => {
  it('launches, watches, stops and ends the task that its key names', async () => {
    const { actor, asked, stops, report } = running('held')
    await waitFor(actor, snapshot => snapshot.matches('running'))
    assert.deepEqual(asked, ['launch false', 'watch'])
    actor.send({ type: 'KILL', at: 2 })
    await waitFor(actor, () => asked.includes('stop'))
    assert.equal(stops[0]?.key, 'held')
    report(lostOutcome('for this test', 3))
    const { context } = await waitFor(actor, snapshot => snapshot.matches('exited'))
    assert.equal(context.outcome?.cause, 'lost')
    assert.equal(asked.at(-1), 'let go')
  })

  it('is a failed start where no task of its key is held', async () => {
    const { actor, asked } = running('another')
    const { context } = await waitFor(actor, snapshot => snapshot.matches('exited'))
    assert.deepEqual(asked, [])
    assert.equal(context.outcome?.cause, 'startFailed')
    assert.match(JSON.stringify(context.outcome), /another is not held by this supervisor/)
  })
})
