import { strict as assert } from 'node:assert'
import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Observation } from '../../machines/index.ts'
import { identify } from '../../src/spawn/process-table.ts'
import { diskImageName } from '../../src/task/disk/place.ts'
import { journalName } from '../../src/task/journal.ts'
import { hasTraces, observe } from '../../src/task/observe.ts'
import { FakeShim } from '../support/fake-shim.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const nothing: Observation = {
  ...{ exit: null, start: null, sameBoot: true },
  ...{ shimAlive: false, treeAlive: false, traces: false },
}

describe('what lies in the directory of a task', () => {
  let dir: string
  let shim: FakeShim | null = null
  beforeEach(() => (dir = temporaryDirectory('observe')))
  afterEach(() => {
    shim?.gone()
    shim = null
  })

  it('is no trace of a shim where a supervisor has made it, and one where anything else lies there', () => {
    for (const name of ['task.json', 'task.json.abc.tmp', journalName, diskImageName, 'stdin', 'control.tmp'])
      writeFileSync(join(dir, name), '')
    assert.deepEqual(observe(dir), nothing)
    writeFileSync(join(dir, 'shim.log'), '')
    assert.deepEqual(observe(dir), { ...nothing, traces: true })
  })

  it('is nothing where the directory is gone', () => {
    assert.equal(hasTraces(join(dir, 'gone')), false)
  })

  it('is a shim that lives while somebody holds its FIFO, and may have left a tree once nobody does', () => {
    shim = new FakeShim(dir)
    const start = shim.started()
    const living = { ...nothing, start, shimAlive: true, traces: true }
    assert.deepEqual(observe(dir), living)
    shim.gone()
    assert.deepEqual(observe(dir), { ...living, shimAlive: false, treeAlive: true })
  })

  it('is a shim that lives where its FIFO is gone and its process is not', () => {
    shim = new FakeShim(dir)
    shim.started()
    unlinkSync(join(dir, 'alive'))
    assert.equal(observe(dir).shimAlive, false)
    shim.started(1, { shim: identify(process.pid) ?? assert.fail() })
    assert.equal(observe(dir).shimAlive, true)
  })

  it('is no tree after a record of the end, or in another boot', () => {
    shim = new FakeShim(dir)
    shim.started(1, { bootId: 'another' })
    shim.gone()
    const { sameBoot, treeAlive } = observe(dir)
    assert.deepEqual([sameBoot, treeAlive], [false, false])
    shim.started()
    shim.ended({ exitCode: 3 })
    const seen = observe(dir)
    assert.equal(seen.treeAlive, false)
    assert.equal(seen.exit !== 'corrupt' && seen.exit?.exitCode, 3)
  })

  it('is corrupt where a record is no record, and then of no other boot and no tree', () => {
    for (const name of ['start.json', 'exit.json']) writeFileSync(join(dir, name), '{}')
    assert.deepEqual(observe(dir), { ...nothing, start: 'corrupt', exit: 'corrupt', traces: true })
  })
})
