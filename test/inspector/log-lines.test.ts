import { strict as assert } from 'node:assert'
import { LogLines, type Stream } from '../../web/log-lines.ts'
import { LogRows } from '../../web/log-rows.ts'
import { LogSearch, marked } from '../../web/log-search.ts'

function written(log: LogLines, ...pieces: [Stream, string][]): LogLines {
  log.write(pieces.map(([stream, text], index) => [stream, index, text]))
  return log
}

const texts = ({ lines }: LogLines): string[] => lines.map(({ text }) => text)

describe("a log's lines on the inspector's page", () => {
  it('stay whole while the other stream prints, in the order in which they began', () => {
    const log = written(
      new LogLines(),
      ['stdout', 'one, '],
      ['stderr', 'two\nthree'],
      ['stdout', 'continued\nfour\n'],
      ['stderr', ', too\n\n'],
    )
    assert.deepEqual(
      log.lines.map(({ stream, at, text }) => [stream, at, text]),
      [
        ['stdout', 0, 'one, continued'],
        ['stderr', 1, 'two'],
        ['stderr', 1, 'three, too'],
        ['stdout', 2, 'four'],
        ['stderr', 3, ''],
      ],
    )
  })

  it('have colours of their own stream, wherever a sequence is cut, and no other control character', () => {
    const log = written(
      new LogLines(),
      ['stdout', 'a\x1b['],
      ['stderr', 'plain\n'],
      ['stdout', '31mred\x1b[0m\x07\x1b]8;;x\x07b\tc\n'],
    )
    assert.deepEqual(log.lines[0]?.spans, [
      { text: 'a', classes: '' },
      { text: 'red', classes: 'ansi-red' },
      { text: 'b   c', classes: '' },
    ])
    assert.deepEqual(log.lines[1]?.spans, [{ text: 'plain', classes: '' }])
    assert.deepEqual(texts(written(new LogLines(), ['stdout', '10 %\r20 %\r30 %\n'])), ['30 %'])
  })

  it('are bounded in number, length and characters, and know how many have gone', () => {
    const many = new LogLines({ lines: 100 })
    for (let count = 0; count < 1000; count++) written(many, ['stdout', `${count}\n`])
    assert.ok(many.lines.length <= 110)
    assert.equal(many.first + many.lines.length, 1000)
    assert.equal(many.lines.at(-1)?.text, '999')
    assert.equal(many.lines[0]?.text, String(many.first))
    const long = written(new LogLines({ length: 10 }), ['stdout', 'x'.repeat(50)], ['stdout', 'more\nnext'])
    assert.deepEqual(texts(long), [`${'x'.repeat(10)} …`, 'next'])
    const large = new LogLines({ characters: 1000 })
    for (let count = 0; count < 100; count++) written(large, ['stderr', `${'y'.repeat(50)}\n`])
    assert.ok(texts(large).join('').length <= 1000)
    assert.equal(large.first + large.lines.length, 100)
  })

  it('take rows by their width, where they have grown and where others have gone', () => {
    const log = written(new LogLines({ lines: 10 }), ['stdout', `${'x'.repeat(25)}\nshort\nopen`])
    const rows = new LogRows()
    assert.equal(rows.update(log, 10), 0)
    assert.deepEqual([rows.of(0), rows.of(1), rows.of(2), rows.total], [3, 1, 1, 5])
    assert.deepEqual(
      [0, 2, 3, 4, 99].map(row => rows.at(row)),
      [0, 0, 1, 2, 2],
    )
    written(log, ['stdout', '-and-grown\n世界世界世界\n'])
    rows.update(log, 10)
    assert.deepEqual([rows.of(2), rows.of(3), rows.total], [2, 2, 8])
    rows.update(log, 100)
    assert.equal(rows.total, 4)
    rows.update(log, 10)
    for (let count = 0; count < 8; count++) written(log, ['stdout', 'z\n'])
    assert.equal(log.first, 2)
    assert.equal(rows.update(log, 10), 4, 'three of the first line and one of the second')
    assert.deepEqual([rows.before(0), rows.of(0), rows.total], [0, 2, 12])
  })
})

describe("the search in a log on the inspector's page", () => {
  it('finds lines whatever their case, as they come and as they go, and takes no text for a pattern', () => {
    const log = written(new LogLines({ lines: 10 }), ['stdout', 'GET /a(b\nnothing\nget /A(B and m'])
    const search = new LogSearch('get /a(b')
    search.update(log)
    assert.deepEqual(search.hits, [0, 2])
    written(log, ['stdout', 'ore\nGET /a(B\n'])
    search.update(log)
    assert.deepEqual(search.hits, [0, 2, 3])
    for (let count = 0; count < 8; count++) written(log, ['stderr', '\n'])
    search.update(log)
    assert.deepEqual(search.hits, [2, 3])
    const none = new LogSearch('')
    none.update(log)
    assert.deepEqual(none.hits, [])
  })

  it('marks what was found, over the edges of colours too', () => {
    const spans = [
      { text: 'an err', classes: '' },
      { text: 'or, Err', classes: 'ansi-red' },
      { text: 'or', classes: 'bold' },
    ]
    assert.deepEqual(
      marked(spans, 'error').map(({ text, hit }) => [text, hit]),
      [
        ['an ', false],
        ['err', true],
        ['or', true],
        [', ', false],
        ['Err', true],
        ['or', true],
      ],
    )
    assert.ok(marked(spans, '').every(({ hit }) => !hit))
  })
})
