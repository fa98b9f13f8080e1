import { strict as assert } from 'node:assert'
import { addSample, type Sample } from '../../web/samples.ts'

describe("the page's charts", () => {
  const measured = (...times: number[]): Sample[] => {
    const samples: Sample[] = []
    for (const at of times) addSample(samples, { at, cpu: 5, memory: 1 })
    return samples
  }

  it('have a hole where time has passed in which nothing was measured, and begin anew after it', () => {
    assert.deepEqual(measured(1000, 2000, 60_000, 61_000), [
      { at: 1000, cpu: 5, memory: 1 },
      { at: 2000, cpu: 5, memory: 1 },
      { at: 2001, cpu: null, memory: null },
      { at: 60_000, cpu: null, memory: 1 },
      { at: 61_000, cpu: 5, memory: 1 },
    ])
  })

  it('have none for a sample that is late or left out', () => {
    assert.ok(measured(1000, 3900, 5000).every(({ cpu }) => cpu === 5))
  })

  it('keep ten minutes, holes included', () => {
    const samples = measured(...Array.from({ length: 2000 }, (_, index) => index * 4000))
    assert.equal(samples.length, 600)
    assert.equal(samples.at(-1)?.at, 1999 * 4000)
  })
})
