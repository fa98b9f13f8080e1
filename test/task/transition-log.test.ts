import { strict as assert } from 'node:assert'
import { lostOutcome, markExited, type StartRecord, type StoredSnapshot } from '../../machines/index.ts'
import { TransitionLog } from '../../src/task/transition-log.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { configured, type FakeTask, fakeTask, recorded } from '../support/fake-task.ts'

/** A log whose events are kept; `heard`: somebody listens. */
function listened(heard = true) {
  const published: string[] = []
  const results: string[] = []
  const journaled: string[] = []
  const log = new TransitionLog({
    transition: ({ sequence, from, to }) => {
      published.push(`${sequence} ${from} ${to}`)
      return heard
    },
    recorded: ({ to }) => journaled.push(to),
    exited: ({ cause }) => results.push(cause),
  })
  return { log, published, results, journaled }
}

const all = ['1 configured limited', '2 limited running', '3 running exited']

describe('the log of transitions', () => {
  let task: FakeTask
  let start: StartRecord
  let ended: StoredSnapshot

  beforeEach(() => {
    task = recorded(fakeTask())
    const shim = new FakeShim(task.dir)
    start = shim.started()
    shim.gone()
    ended = markExited(configured(), task.file.spec.request.key, lostOutcome('gone', 5), start)
  })

  it('publishes each state that was passed within one step, by its number, once, and then the result', () => {
    const { log, published, results, journaled } = listened()
    log.begin({ file: task.file, adopted: false })
    log.moved(ended)
    log.moved(ended)
    assert.deepEqual(published, all)
    assert.deepEqual(results, ['lost'])
    assert.deepEqual(journaled, ['limited', 'running', 'exited'])
  })

  it('publishes again what the last supervisor has not marked as delivered, and journals what it has', () => {
    const { log, published, journaled } = listened()
    log.begin({ file: task.file, adopted: true }, 2)
    log.moved(ended, true)
    assert.deepEqual(published, all.slice(2))
    assert.deepEqual(journaled, ['limited', 'running', 'exited'])
    assert.equal(log.delivered, 3)
  })

  it('marks nothing as delivered that nobody has heard of a task of another supervisor', () => {
    const { log } = listened(false)
    log.begin({ file: task.file, adopted: true }, 1)
    log.moved(ended, true)
    assert.equal(log.delivered, 1)
  })

  it('needs no redelivery of a task that it has started itself, heard or not', () => {
    const { log } = listened(false)
    log.begin({ file: task.file, adopted: false })
    log.moved(ended)
    assert.equal(log.delivered, 3)
  })

  it('keeps what happens before there is a place for it', () => {
    const { log, journaled } = listened()
    log.note('configured', 'LIMIT')
    assert.deepEqual(journaled, [])
    log.begin({ file: task.file, adopted: false })
    assert.deepEqual(journaled, ['configured'])
    assert.deepEqual(
      task.file.journal.read().map(({ event }) => event),
      ['LIMIT'],
    )
  })
})
