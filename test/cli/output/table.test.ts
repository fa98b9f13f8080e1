import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import { table } from '../../../src/cli/output/table.ts'
import { colorsFor } from '../../../src/cli/output/terminal.ts'
import { widthOf } from '../../../src/cli/output/width.ts'

const plain = { colors: colorsFor({ isTTY: false }) }
const colored = { colors: colorsFor({ isTTY: true }, { TERM: 'xterm' }) }

describe('a table', () => {
  it('without rows is its head', () => {
    assert.equal(table(['KEY', 'NAME'], [], plain), 'KEY  NAME\n')
    assert.equal(table(['KEY', 'NAME'], [], { ...plain, width: 1 }), 'KEY  NAME\n')
  })

  it('has columns two spaces apart, as wide as their widest cell, and no spaces at the end of a line', () => {
    const rows = [
      ['a', 'bb', ''],
      ['aaaa', '', 'c'],
    ]
    assert.equal(table(['A', 'B', 'C'], rows, plain), 'A     B   C\na     bb\naaaa      c\n')
  })

  it('cuts the last column to the terminal, to twenty columns at the least', () => {
    const [head = '', row = ''] = table(['A', 'LAST'], [['aaaa', 'x'.repeat(90)]], {
      ...plain,
      width: 40,
    }).split('\n')
    assert.deepEqual([head, row], ['A     LAST', `aaaa  ${'x'.repeat(33)}…`])
    const narrow = table(['A', 'LAST'], [['a'.repeat(50), 'x'.repeat(90)]], { ...plain, width: 40 })
    assert.ok(narrow.endsWith(`  ${'x'.repeat(19)}…\n`))
    assert.ok(table(['A', 'LAST'], [['a', 'x'.repeat(900)]], plain).includes('x'.repeat(900)))
  })

  it('takes no line of a terminal twice, whatever is in its cells', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ' ', '名', '😀', 'é'), maxLength: 60 })
    fc.assert(
      fc.property(
        fc.array(cell, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 40, max: 120 }),
        (cells, width) => {
          const lines = table(
            ['KEY', 'COMMAND'],
            cells.map(last => ['0123456789abcd', last]),
            { ...plain, width },
          ).split('\n')
          assert.equal(lines.length, cells.length + 2)
          for (const line of lines) assert.ok(widthOf(line) <= width, `${widthOf(line)} of ${width}: ${line}`)
        },
      ),
    )
  })

  it('counts no colour as a column, and leaves none on that it has cut', () => {
    const red = colored.colors.red('x'.repeat(90))
    const text = table(['A', 'LAST'], [[colored.colors.green('aaaa'), red]], { ...colored, width: 40 })
    const [head = '', row = ''] = text.split('\n')
    assert.equal(head, '\x1b[1mA\x1b[22m     \x1b[1mLAST\x1b[22m')
    assert.equal(row, `\x1b[32maaaa\x1b[39m  ${'x'.repeat(33)}…`)
    const short = table(['A', 'LAST'], [['a', colored.colors.red('x')]], { ...colored, width: 40 })
    assert.ok(short.includes('\x1b[31mx\x1b[39m'))
  })
})

describe('colours', () => {
  for (const [stream, env, isColored] of [
    [{ isTTY: true }, { TERM: 'xterm' }, true],
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '' }, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { NO_COLOR: '0' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{ isTTY: false }, { TERM: 'xterm', FORCE_COLOR: '1' }, false],
    [{}, { TERM: 'xterm' }, false],
  ] as const)
    it(`are ${isColored ? 'used' : 'left out'} for ${JSON.stringify([stream, env])}`, () => {
      assert.equal(colorsFor(stream, env).red('x') !== 'x', isColored)
    })
})
