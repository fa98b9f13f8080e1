import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { onceATurn } from '../src/once-a-turn.ts'

describe('onceATurn', () => {
  it('asks once in a turn of the event loop, for each name, and again in the next', async () => {
    const asked: (string | undefined)[] = []
    const ask = onceATurn(of => asked.push(of))
    assert.deepEqual([ask('a'), ask('b'), ask('a'), ask(undefined), ask(undefined)], [1, 2, 1, 3, 3])
    await Promise.resolve()
    assert.equal(ask('a'), 1)
    await nextTurn()
    assert.equal(ask('a'), 4)
    assert.deepEqual(asked, ['a', 'b', undefined, 'a'])
  })

  it('keeps nothing of one who throws', () => {
    let tries = 0
    const ask = onceATurn(() => {
      if (++tries === 1) throw new Error('not yet')
      return tries
    })
    assert.throws(() => ask('a'))
    assert.equal(ask('a'), 2)
  })
})
