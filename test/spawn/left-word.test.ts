import { strict as assert } from 'node:assert'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { leaveWord, takeWord } from '../../src/spawn/left-word.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('a word that is left for a shim', () => {
  let dir = ''
  beforeEach(() => (dir = temporaryDirectory('word')))
  afterEach(() => removeTemporary(dir))

  it('is taken once', () => {
    leaveWord(dir, 'stop 15 5000')
    assert.deepEqual([takeWord(dir), takeWord(dir)], ['stop 15 5000', null])
    assert.deepEqual(readdirSync(dir), [])
  })

  it('that could not be left is in the way of no other', () => {
    mkdirSync(join(dir, 'word'))
    leaveWord(dir, 'stop 15 5000')
    assert.deepEqual(readdirSync(dir), ['word'])
    rmSync(join(dir, 'word'), { recursive: true })
    leaveWord(dir, 'stop 2 100')
    assert.equal(takeWord(dir), 'stop 2 100')
  })

  it('is none in a directory that is gone', () => {
    leaveWord(join(dir, 'absent'), 'stop 15 5000')
    assert.equal(takeWord(join(dir, 'absent')), null)
  })
})
