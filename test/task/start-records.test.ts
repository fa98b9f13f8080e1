import { strict as assert } from 'node:assert'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldfastError } from '../../src/index.ts'
import { StartRecords } from '../../src/task/start-records.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { configured } from '../support/fake-task.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('the start record of a task', () => {
  let dir: string
  let shim: FakeShim
  beforeEach(() => {
    dir = temporaryDirectory('records')
    shim = new FakeShim(dir)
  })
  afterEach(() => shim.gone())

  const path = () => join(dir, 'start.json')

  it('is what lies there, and what was read of it last once it is gone', () => {
    const records = new StartRecords(dir, () => null)
    const start = shim.started()
    assert.deepEqual(records.get(), start)
    rmSync(path())
    assert.equal(records.read(), null)
    for (const found of [records.get(), records.require(), records.known()]) assert.deepEqual(found, start)
  })

  it('is lost where there is none, and none where it cannot be believed', () => {
    const records = new StartRecords(dir, () => null)
    for (const there of [() => {}, () => writeFileSync(path(), 'no JSON')]) {
      there()
      assert.deepEqual([records.get(), records.known()], [null, null])
      assert.throws(
        () => records.require(),
        ({ code }: HoldfastError) => code === 'LOST',
      )
    }
  })

  it('is what the machine remembers where it is gone, for who only has to name the processes', () => {
    const start = shim.started()
    rmSync(path())
    const snapshot = configured()
    const records = new StartRecords(dir, () => ({
      ...snapshot,
      context: { ...snapshot.context, start },
    }))
    assert.deepEqual([records.get(), records.known()], [null, start])
  })

  it('that cannot be read now is unknown, and an error for who asks for it', () => {
    // No directory, which is no absence.
    shim.started()
    const records = new StartRecords(path(), () => null)
    assert.throws(() => records.get())
    assert.equal(records.known(), null)
  })
})
