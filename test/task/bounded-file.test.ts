import { strict as assert } from 'node:assert'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supervisor } from '../../src/index.ts'
import { readBounded } from '../../src/task/bounded-file.ts'
import { newTaskKey } from '../../src/task/task-id.ts'
import { plantedInstead } from '../support/planted.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

/** What lies in the place of a task.json. */
const planted: Record<string, (path: string) => unknown> = {
  ...plantedInstead,
  'JSON of a depth without end': path => writeFileSync(path, '['.repeat(1_000_000)),
}

describe('records of the state tree are input', () => {
  for (const [what, plant] of Object.entries(planted))
    it(`${what} as task.json: that task is quarantined, with its path, and no other`, async () => {
      const stateDir = temporaryDirectory('input')
      const key = newTaskKey()
      const dir = join(stateDir, 'tasks', key)
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      plant(join(dir, 'task.json'))
      const supervisor = new Supervisor({ stateDir })
      const { quarantined } = await supervisor.openAll()
      assert.deepEqual(
        quarantined.map(found => found.key),
        [key],
      )
      assert.match(`${quarantined[0]?.error.path}`, new RegExp(key))
      await supervisor.close()
      rmSync(dir, { recursive: true })
      removeTemporary(stateDir)
    })
})

describe('a file of the state tree', () => {
  const file = () => join(temporaryDirectory('bounded'), 'file')

  for (const [what, plant] of Object.entries(plantedInstead))
    it(`is corrupt, and named, where ${what} lies in its place`, () => {
      const path = file()
      plant(path)
      assert.throws(() => readBounded(path), { code: 'STATE_CORRUPT', path, hint: /Nothing was changed/ })
    })

  it('is read whole up to its bound, and not beyond', () => {
    const path = file()
    writeFileSync(path, 'é!')
    assert.equal(readBounded(path, 3), 'é!')
    assert.throws(() => readBounded(path, 2), { code: 'STATE_CORRUPT', message: /3 bytes, of at most 2$/ })
  })

  it('that is not there is what the file system says', () => {
    assert.throws(() => readBounded(file()), { code: 'ENOENT' })
  })
})
