import { strict as assert } from 'node:assert'
import { DetachKeys } from '../../../src/cli/terminal/detach-keys.ts'

const passed = (...typed: string[]): [string, boolean] => {
  const keys = new DetachKeys()
  let text = ''
  for (const piece of typed) {
    const { bytes, detached } = keys.pass(Buffer.from(piece))
    text += Buffer.from(bytes).toString()
    if (detached) return [text, true]
  }
  return [text, false]
}

describe('Ctrl-P Ctrl-Q', () => {
  it('is found however it is cut, and what was typed before it is passed on', () => {
    assert.deepEqual(passed('ab\x10\x11cd'), ['ab', true])
    assert.deepEqual(passed('ab\x10', '\x11'), ['ab', true])
  })

  it('leaves a Ctrl-P alone that something else follows, another one too', () => {
    assert.deepEqual(passed('\x10', 'x\x11'), ['\x10x\x11', false])
    assert.deepEqual(passed('\x10\x10\x11'), ['\x10', true])
    assert.deepEqual(passed('\x11\x10'), ['\x11', false])
  })
})
