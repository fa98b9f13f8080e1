import { strict as assert } from 'node:assert'
import { ScreenModes } from '../../../src/cli/terminal/screen-modes.ts'

const after = (...pieces: string[]): ScreenModes => {
  const modes = new ScreenModes()
  for (const piece of pieces) modes.read(Buffer.from(piece))
  return modes
}

describe('the modes that a program leaves a terminal in', () => {
  it('are undone where they were not put back: mouse, cursor, keys, and the other screen last', () => {
    const { undo, isOnOtherScreen } = after('\x1b[?1049h\x1b[?25l', 'text\x1b[?1000;1006h\x1b=\x1b[>4;2m')
    assert.equal(undo, '\x1b[?25h\x1b[?1000l\x1b[?1006l\x1b[?1049l\x1b>\x1b[>4m\x1b[m')
    assert.ok(isOnOtherScreen)
  })

  it('are nothing where all was put back, or was never changed', () => {
    assert.equal(after('\x1b[?1049h\x1b[?25lx\x1b[?25h\x1b[?1049l').undo, '')
    assert.equal(after('\x1b[31mred\x1b[0m plain \x1b[2J').undo, '')
    assert.equal(after('\x1b[?1049h\x1b=', '\x1bc').undo, '')
  })

  it('are read however the output is cut', () => {
    for (const text of ['\x1b[?1049h', '\x1b[?25l', '\x1b[>4;2m'])
      for (let cut = 1; cut < text.length; cut++)
        assert.equal(after(text.slice(0, cut), text.slice(cut)).undo, after(text).undo)
  })

  it('are made again on a fresh terminal', () => {
    assert.equal(after('\x1b[?1049h\x1b[?25l\x1b[?2004h').redo, '\x1b[?25l\x1b[?2004h\x1b[?1049h')
  })
})
