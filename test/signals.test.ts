import { strict as assert } from 'node:assert'
import { constants } from 'node:os'
import { nameOfSignal, numberOfSignal, readSignal } from '../src/signals.ts'

describe('signals by name and number', () => {
  it('every signal of this system has a number, and a name that leads back to it', () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      assert.equal(numberOfSignal(name), number)
      assert.equal(numberOfSignal(nameOfSignal(number)), number)
      for (const written of [name, name.slice(3), name.toLowerCase(), String(number)])
        assert.equal(numberOfSignal(readSignal(written) ?? ''), number, written)
    }
    assert.equal(nameOfSignal(6), 'SIGABRT')
  })

  it('real-time signals are counted from the first or from the last, or are numbers', function () {
    if (process.platform !== 'linux') this.skip()
    assert.equal(nameOfSignal(34), 'SIGRTMIN+0')
    assert.deepEqual(['RTMIN', 'SIGRTMIN', 'rtmin+0', '34'].map(readSignal), Array(4).fill('SIGRTMIN+0'))
    assert.deepEqual(['RTMIN+3', 'sigrtmin+3', '37', 'RTMAX-27'].map(readSignal), Array(4).fill('SIGRTMIN+3'))
    assert.equal(numberOfSignal('SIGRTMAX'), 64)
    assert.equal(numberOfSignal('SIGRTMAX-30'), 34)
  })

  it('what is none is null: beyond the ends, with the wrong sign, by a prototype, empty', () => {
    for (const text of [
      '',
      'SIG',
      'NOPE',
      '0',
      '32',
      '33',
      '65',
      '99',
      '-9',
      '1.5',
      'RTMIN-1',
      'RTMIN+31',
      'RTMAX+1',
    ])
      assert.equal(readSignal(text), null, text)
    for (const name of ['toString', '__proto__', 'TERM', 'SIGRTMIN+', 'SIGRTMIN+999'])
      assert.equal(numberOfSignal(name), null)
  })
})
