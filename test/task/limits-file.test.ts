import { strict as assert } from 'node:assert'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readLimits, type UpdatedLimits, writeLimits } from '../../src/task/limits-file.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

describe('the file of changed limits', () => {
  let dir: string
  beforeEach(() => {
    dir = temporaryDirectory('limits')
  })
  afterEach(() => removeTemporary(dir))

  it('is not there before the first change, nor when the task is gone', () => {
    assert.equal(readLimits(dir), null)
    assert.equal(readLimits(join(dir, 'gone')), null)
  })

  it('counts by its number, also past nine', () => {
    for (let revision = 1; revision <= 12; revision++) assert.equal(writeLimits(dir, limits(revision)), true)
    assert.deepEqual(readLimits(dir), limits(12))
    assert.deepEqual(readdirSync(dir).sort(), ['limits.11.json', 'limits.12.json'])
  })

  it('is nobody’s twice: the second one is told, and has changed nothing', () => {
    assert.equal(writeLimits(dir, limits(1)), true)
    assert.equal(writeLimits(dir, { ...limits(1), resources: { pids: 99 } }), false)
    assert.deepEqual(readLimits(dir), limits(1))
    assert.deepEqual(readdirSync(dir), ['limits.1.json'])
  })

  it('is not mistaken for anything else that lies there', () => {
    for (const name of ['limits.json', 'limits.x.json', 'limits.2.json.tmp', 'limits.ab.tmp'])
      writeFileSync(join(dir, name), '')
    assert.equal(readLimits(dir), null)
  })
})

function limits(revision: number): UpdatedLimits {
  return { revision, resources: { pids: revision }, enforcement: [] }
}
