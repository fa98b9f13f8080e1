import { strict as assert } from 'node:assert'
import { closeSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogFiles, type OpenedLog } from '../../src/task/log-files.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('a log and its rotated predecessors', () => {
  let dir: string
  let path: string
  beforeEach(() => {
    dir = temporaryDirectory('log-files')
    path = join(dir, 'out')
  })

  const write = (...suffixes: readonly string[]) => {
    for (const suffix of suffixes) writeFileSync(path + suffix, `of ${suffix}`)
  }
  const files = (count = 4) => new LogFiles({ base: null, path }, count)
  const taken = (opened: readonly OpenedLog[]) =>
    opened.map(({ fd, number }) => {
      const text = readFileSync(fd, 'utf8')
      closeSync(fd)
      return [number, text] as const
    })

  it('are opened the oldest first, without those that are not there or beyond their number', () => {
    write('', '.1', '.3', '.4')
    assert.deepEqual(taken(files().openAll()), [
      [3, 'of .3'],
      [1, 'of .1'],
      [0, 'of '],
    ])
    assert.deepEqual(taken(files(1).openAll()), [[0, 'of ']])
    assert.deepEqual(new LogFiles({ base: dir, path: 'none' }, 2).openAll(), [])
  })

  it('are found beneath a base by the same numbers', () => {
    write('', '.1')
    assert.deepEqual(taken(new LogFiles({ base: dir, path: 'out' }, 2).openAll()), [
      [1, 'of .1'],
      [0, 'of '],
    ])
  })

  it('are each opened once, also where one has two numbers for a moment', () => {
    write('.1')
    linkSync(`${path}.1`, `${path}.2`)
    const before = openDescriptors()
    assert.deepEqual(taken(files().openAll()), [[1, 'of .1']])
    assert.equal(openDescriptors(), before)
  })

  it('know which number an opened one has now', () => {
    write('')
    const log = files().open(0) ?? assert.fail()
    assert.deepEqual([files().is(0, log), files().is(1, log)], [true, false])
    renameSync(path, `${path}.1`)
    write('')
    assert.deepEqual([files().is(0, log), files().is(1, log)], [false, true])
    closeSync(log.fd)
  })

  it('skip what is no log in the place of an older one, and refuse it in the place of the log itself', () => {
    write('')
    mkdirSync(`${path}.1`)
    assert.deepEqual(taken(files().openAll()), [[0, 'of ']])
    mkdirSync(join(dir, 'other'))
    const before = openDescriptors()
    const other = new LogFiles({ base: null, path: join(dir, 'other') }, 2)
    assert.throws(() => other.openAll())
    assert.equal(other.is(0, { identity: '' }), false)
    assert.equal(openDescriptors(), before)
  })
})

function openDescriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
}
