import { strict as assert } from 'node:assert'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { LogCursor } from '../../src/task/log-cursor.ts'
import { LogFiles, type OpenedLog } from '../../src/task/log-files.ts'
import { closeSync } from 'node:fs'
import { openUnder } from '../support/descriptors.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('a log that is rotated while it is read', () => {
  let dir: string
  let cursors: LogCursor[]
  beforeEach(() => {
    dir = temporaryDirectory('cursor')
    cursors = []
  })
  afterEach(() => {
    for (const cursor of cursors) cursor.close()
    assert.deepEqual(openUnder(dir), [])
    removeTemporary(dir)
  })

  const at = (number: number) => join(dir, number === 0 ? 'log' : `log.${number}`)
  const append = (text: string) => appendFileSync(at(0), text)
  const rotate = (count = 3): void => {
    for (let number = count - 2; number >= 0; number--)
      if (existsSync(at(number))) renameSync(at(number), at(number + 1))
    writeFileSync(at(0), '')
  }
  const files = (count = 3) => new LogFiles({ base: dir, path: 'log' }, count)
  const open = (from: Parameters<typeof LogCursor.open>[1] = 'start', count = 3): LogCursor => {
    const cursor = LogCursor.open(files(count), from) ?? assert.fail('there is no log')
    cursors.push(cursor)
    return cursor
  }
  const rest = (cursor: LogCursor, writing = true): string => {
    let text = ''
    for (let chunk = cursor.read(writing); chunk !== null; chunk = cursor.read(writing))
      text += chunk.toString()
    return text
  }

  it('is not there yet', () => {
    assert.equal(LogCursor.open(files(), 'start'), null)
    assert.equal(files().open(0), null)
    assert.deepEqual(files().openAll(), [])
  })

  it('is read from its oldest file on, from the end, or from some lines before', () => {
    append('1\n2\n')
    rotate()
    append('3\n4\n')
    assert.equal(rest(open()), '1\n2\n3\n4\n')
    assert.equal(rest(open('end')), '')
    assert.equal(rest(open({ lines: 1 })), '4\n')
    assert.equal(rest(open({ lines: 3 })), '2\n3\n4\n')
    assert.equal(rest(open({ lines: 0 })), '')
  })

  it('gives what comes, through rotations, each byte once', () => {
    append('a')
    const cursor = open()
    assert.equal(rest(cursor), 'a')
    append('b')
    rotate()
    append('c')
    assert.equal(rest(cursor), 'bc')
    rotate()
    append('d')
    rotate()
    append('e')
    assert.equal(rest(cursor), 'de')
  })

  it('gives the oldest there is to one that fell behind what is kept', () => {
    append('a')
    const cursor = open()
    for (const text of ['b', 'c', 'd', 'e']) {
      rotate()
      append(text)
    }
    assert.equal(rest(cursor), 'acde')
  })

  it('waits amid a rotation for the file that is missing, and not when nobody writes any more', () => {
    append('a')
    const cursor = open()
    renameSync(at(0), at(1))
    assert.equal(rest(cursor), 'a')
    writeFileSync(at(0), 'b')
    assert.equal(rest(cursor), 'b')
    renameSync(at(1), at(2))
    renameSync(at(0), at(1))
    assert.equal(rest(cursor, false), '')
  })

  it('that is not rotated begins anew where its writer has cut it', () => {
    append('long line')
    const cursor = open('start', 1)
    assert.equal(rest(cursor), 'long line')
    truncateSync(at(0), 0)
    assert.equal(rest(cursor), '')
    append('new')
    assert.equal(rest(cursor), 'new')
  })

  it('is skipped where a task has put something else in an older one’s place', () => {
    append('a')
    rotate()
    append('b')
    rmSync(at(1))
    symlinkSync('/etc/passwd', at(1))
    mkdirSync(at(2))
    assert.equal(rest(open()), 'b')
  })

  it('is refused where the newest is a link or a directory', () => {
    symlinkSync('/etc/passwd', at(0))
    assert.throws(() => LogCursor.open(files(), 'start'), { code: 'PERMISSION' })
    rmSync(at(0))
    mkdirSync(at(0))
    assert.throws(() => LogCursor.open(files(), 'start'), { code: 'UNSUPPORTED' })
  })

  it('knows its files apart, also when one is there under two numbers for a moment', () => {
    append('a')
    rotate()
    append('b')
    const opened = files().openAll()
    assert.deepEqual(
      opened.map(({ number }) => number),
      [1, 0],
    )
    const [older, newer] = opened as [OpenedLog, OpenedLog]
    assert.deepEqual([files().is(0, newer), files().is(1, older), files().is(0, older)], [true, true, false])
    for (const { fd } of opened) closeSync(fd)
  })

  it('loses and repeats nothing, however writes, rotations and reads follow each other within what is kept', () => {
    const step = fc.constantFrom('write', 'rotate', 'read')
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        for (let number = 0; number < 3; number++) rmSync(at(number), { force: true })
        append('^')
        const cursor = LogCursor.open(files(), 'start') ?? assert.fail('no log')
        let [written, read, unread] = ['^', '', 0]
        try {
          for (const [index, what] of steps.entries()) {
            if (what === 'write') {
              append(`${index},`)
              written += `${index},`
            } else if (what === 'rotate' && unread < 2) {
              rotate()
              unread++
            } else {
              read += rest(cursor)
              unread = 0
            }
          }
          assert.equal(read + rest(cursor, false), written)
        } finally {
          cursor.close()
        }
      }),
      { numRuns: 60 },
    )
  })
})
