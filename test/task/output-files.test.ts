import { strict as assert } from 'node:assert'
import { renameSync, truncateSync, writeFileSync } from 'node:fs'
import { LogFiles } from '../../src/task/log-files.ts'
import { isBefore, OutputFiles, type Piece } from '../../src/task/output-files.ts'
import { openUnder } from '../support/descriptors.ts'
import { IndexedOutput } from '../support/indexed-output.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('the files of one stream, as its index names them', () => {
  let output: IndexedOutput
  let turns: number | null
  let opened: OutputFiles[]
  beforeEach(() => {
    output = new IndexedOutput(temporaryDirectory('files'))
    turns = 0
    opened = []
  })
  afterEach(() => {
    for (const files of opened) files.close()
    removeTemporary(output.dir)
  })

  const open = (count = 3): OutputFiles => {
    const files = new OutputFiles(new LogFiles({ base: output.dir, path: 'stdout' }, count), () => turns)
    opened.push(files)
    return files
  }
  const rotate = (): void => {
    output.rotate('stdout')
    turns = (turns ?? 0) + 2
  }
  const write = (text: string) => output.writeUnnoted('stdout', text)
  const textOf = (pieces: Iterable<Piece>) =>
    [...pieces].map(({ bytes, unplaced, lost }) => {
      const flags = `${unplaced ? '?' : ''}${lost === undefined ? '' : `!${lost}`}`
      return `${flags}${Buffer.from(bytes).toString()}`
    })
  const record = (generation: number, position: number, length: number) =>
    ({ stream: 'stdout', at: 1, generation, position, length }) as const

  it('gives the bytes of a record, and those before it that none has named', () => {
    write('onetwo')
    const files = open()
    files.begin('start')
    assert.deepEqual(textOf(files.take(record(0, 3, 3), false)), ['?one', 'two'])
  })

  it('gives no byte twice', () => {
    write('one')
    const files = open()
    files.begin('start')
    const both = [record(0, 0, 3), record(0, 0, 3), record(0, 1, 2)].flatMap(one =>
      textOf(files.take(one, false)),
    )
    assert.deepEqual(both, ['one'])
  })

  it('begins at the end, at the start, or so many lines before the end, across files', () => {
    write('a\nb\n')
    rotate()
    write('c\nd\n')
    const end = { generation: 1, position: 4 }
    for (const [from, rest] of [
      ['start', 'a\nb\nc\nd\n'],
      ['end', ''],
      [{ lines: 1 }, 'd\n'],
      [{ lines: 3 }, 'b\nc\nd\n'],
      [{ lines: 9 }, 'a\nb\nc\nd\n'],
    ] as const) {
      const files = open()
      assert.deepEqual(files.begin(from), end)
      assert.equal(textOf(files.rest(end)).join('').replaceAll('?', ''), rest, JSON.stringify(from))
    }
  })

  it('finds the file of each generation after rotations, and what is held is read to its end', () => {
    write('one')
    const files = open()
    files.begin('start')
    rotate()
    write('two')
    rotate()
    write('three')
    const pieces = [record(0, 0, 3), record(1, 0, 3), record(2, 0, 5)].flatMap(one =>
      textOf(files.take(one, false)),
    )
    assert.deepEqual(pieces, ['one', 'two', 'three'])
  })

  it('counts what was rotated away before it could be read, and says so before what comes next', () => {
    const files = open()
    files.begin('start')
    for (let turn = 0; turn < 4; turn++) rotate()
    write('last')
    const pieces = [record(1, 0, 10), record(4, 0, 4)].flatMap(one => textOf(files.take(one, false)))
    assert.deepEqual(pieces, ['!10last'])
  })

  it('holds what has been begun since, so that a slow reader misses nothing of it', () => {
    const files = open()
    files.begin('start')
    for (let turn = 1; turn <= 5; turn++) {
      rotate()
      write(`turn ${turn}`)
      files.prefetch()
    }
    const pieces = [1, 2, 3, 4, 5].flatMap(turn => textOf(files.take(record(turn, 0, 6), false)))
    assert.deepEqual(pieces, ['turn 1', 'turn 2', 'turn 3', 'turn 4', 'turn 5'])
  })

  it('does not prefetch amid a rotation, nor where nobody counts them', () => {
    const files = open()
    files.begin('start')
    rotate()
    const before = openUnder(output.dir)
    for (const unsteady of [3, null]) {
      turns = unsteady
      files.prefetch()
    }
    assert.deepEqual(openUnder(output.dir), before)
  })

  it('skips a record as if it had been read', () => {
    write('onetwo')
    const files = open()
    files.begin('start')
    assert.deepEqual(textOf(files.take(record(0, 0, 3), true)), [])
    assert.deepEqual(textOf(files.take(record(0, 3, 3), false)), ['two'])
  })

  it('reads once more from where it was marked, also what has been rotated since', () => {
    write('one')
    const files = open()
    files.begin('start')
    files.mark()
    rotate()
    write('two')
    const read = () => [record(0, 0, 3), record(1, 0, 3)].flatMap(one => textOf(files.take(one, false)))
    assert.deepEqual(read(), ['one', 'two'])
    files.rewind()
    assert.deepEqual(read(), ['one', 'two'])
  })

  it('without an index gives what remains by what the files are', () => {
    turns = null
    write('one')
    const files = open()
    files.begin('start')
    output.rotate('stdout')
    write('two')
    assert.deepEqual(textOf(files.remaining()), ['?one', '?two'])
    assert.deepEqual(textOf(files.remaining()), [])
  })

  it('knows whether there is more', () => {
    const files = open()
    files.begin('start')
    assert.equal(files.isBehind, false)
    write('x')
    assert.equal(files.isBehind, true)
    assert.deepEqual(textOf(files.remaining()), ['?x'])
    assert.equal(files.isBehind, false)
    rotate()
    assert.equal(files.isBehind, true)
  })

  it('goes on at the new beginning of a log that its writer has cut', () => {
    write('a long line\n')
    const files = open(1)
    files.begin('end')
    truncateSync(output.path('stdout'), 0)
    writeFileSync(output.path('stdout'), 'new')
    assert.deepEqual(textOf(files.remaining()), ['?new'])
  })

  it('does not wait for a rotation whose shim was killed amid it', () => {
    write('one')
    turns = 1
    const files = open()
    files.begin('start')
    assert.deepEqual(textOf(files.remaining()), ['?one'])
  })

  it('takes a rotation between two looks for what it is: it looks again', () => {
    write('one')
    let looks = 0
    const files = new OutputFiles(new LogFiles({ base: output.dir, path: 'stdout' }, 3), () => {
      // Between the first look and its confirmation the log is rotated.
      if (++looks === 2) {
        rotate()
        write('two')
      }
      return turns
    })
    opened.push(files)
    assert.deepEqual(files.begin('start'), { generation: 1, position: 3 })
    assert.deepEqual(textOf(files.rest({ generation: 1, position: 3 })), ['?one', '?two'])
  })

  it('leaves no descriptor open', () => {
    const before = openUnder(output.dir)
    write('one')
    const files = open()
    files.begin('start')
    for (let turn = 0; turn < 4; turn++) {
      rotate()
      files.prefetch()
    }
    textOf(files.remaining())
    files.close()
    assert.deepEqual(openUnder(output.dir), before)
  })

  it('is not put off by a hole in the numbers', () => {
    write('one')
    rotate()
    write('two')
    renameSync(`${output.path('stdout')}.1`, `${output.path('stdout')}.2`)
    const files = open()
    files.begin('start')
    assert.match(textOf(files.remaining()).join(''), /two/)
  })

  it('orders places by generation, then by position', () => {
    const place = (generation: number, position: number) => ({ generation, position })
    assert.ok(isBefore(place(0, 9), place(1, 0)))
    assert.ok(isBefore(place(1, 0), place(1, 1)))
    assert.ok(!isBefore(place(1, 1), place(1, 1)))
    assert.ok(!isBefore(place(1, 0), place(0, 9)))
  })
})
