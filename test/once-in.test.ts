import { strict as assert } from 'node:assert'
import { onceIn } from '../src/once-in.ts'

/** Runs the test with a clock of its own, in milliseconds. */
function timed(test: (pass: (milliseconds: number) => void) => void): void {
  const now = performance.now.bind(performance)
  let at = 0
  performance.now = () => at
  try {
    test(milliseconds => (at += milliseconds))
  } finally {
    performance.now = now
  }
}

describe('what is asked of the host once in a while', () => {
  it('is asked again when the time is over, and for each name by itself', () =>
    timed(pass => {
      const asked: string[] = []
      const ask = onceIn(100, of => asked.push(of))
      assert.deepEqual([ask('a'), ask('a'), ask('b'), ask('a')], [1, 1, 2, 1])
      pass(99)
      assert.equal(ask('a'), 1)
      pass(1)
      assert.deepEqual([ask('a'), ask('b')], [3, 4])
      assert.deepEqual(asked, ['a', 'b', 'a', 'b'])
    }))

  it('is asked again by the next one when it could not be answered', () =>
    timed(() => {
      let times = 0
      const ask = onceIn(100, () => {
        if (++times === 1) throw new Error('not now')
        return times
      })
      assert.throws(() => ask(''), /not now/)
      assert.equal(ask(''), 2)
    }))

  it('does not grow with the names that are asked for', () =>
    timed(() => {
      let times = 0
      const ask = onceIn(100, () => ++times)
      for (let name = 0; name < 1000; name++) ask(`${name}`)
      assert.equal(ask('999'), 1000)
      assert.equal(ask('0'), 1001)
    }))
})
