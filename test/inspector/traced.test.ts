import { strict as assert } from 'node:assert'
import { outermost, taskChart } from '../../machines/index.ts'
import { litState, traced, type Way } from '../../web/traced.ts'
import type { Entry } from '../../web/types.ts'

const { states, edges } = taskChart()
/** As the drawing has them. */
const ways: Way[] = edges.map(({ from, to, labels }) => ({
  source: from ?? '*',
  target: to,
  from: from === null ? '*' : outermost(states, from),
  to: outermost(states, to),
  events: labels.map(({ event }) => event),
}))

function entry(sequence: number | null, from: Entry['from'], to: Entry['to'], event: string): Entry {
  return { sequence, from, to, event, at: '2026-01-01T00:00:00.000Z' }
}

function ofJournal(...entries: Entry[]) {
  const trace = traced(ways, entries)
  const last = entries.at(-1)?.to ?? 'configured'
  return {
    ways: [...trace.taken.keys()].map(({ source, target }) => `${source} ${target}`),
    lit: litState(last, trace),
    last: trace.last?.target ?? null,
  }
}

const limited = entry(1, 'configured', 'limited', 'LIMIT')
const start = entry(null, 'limited', 'limited', 'START')

describe("what a task's journal has passed of the chart", () => {
  it('is ready after its limits, and launching after its start', () => {
    assert.deepEqual(ofJournal(limited), { ways: ['configured ready'], lit: 'ready', last: 'ready' })
    assert.deepEqual(ofJournal(limited, start), {
      ways: ['configured ready', 'ready launching'],
      lit: 'launching',
      last: 'launching',
    })
  })

  it('does not go by ready without limits', () => {
    const trace = ofJournal(
      entry(1, 'configured', 'limited', 'START'),
      entry(2, 'limited', 'running', 'launch done'),
    )
    assert.deepEqual(trace.ways, ['configured launching', 'launching running'])
    assert.equal(trace.lit, 'running')
  })

  it('has each way once, of two between the same states that of the event', () => {
    const trace = ofJournal(limited, start, entry(2, 'limited', 'exited', 'launch failed'))
    assert.deepEqual(trace.ways, ['configured ready', 'ready launching', 'launching exited'])
  })

  it('takes no way for what has changed no state', () => {
    const trace = ofJournal(
      entry(1, 'configured', 'limited', 'START'),
      entry(2, 'limited', 'running', 'launch done'),
      entry(3, 'running', 'stopping', 'STOP'),
      entry(null, 'stopping', 'stopping', 'KILL'),
      entry(null, 'stopping', 'stopping', 'stop failed'),
    )
    assert.equal(trace.ways.length, 3)
    assert.deepEqual([trace.lit, trace.last], ['stopping', null])
  })

  it('lights what users see where the journal says nothing', () => {
    assert.equal(litState('limited', traced(ways, [])), 'limited')
  })
})
