import { strict as assert } from 'node:assert'
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { indexPath, OutputIndex } from '../../src/task/output-index.ts'
import { IndexedOutput } from '../support/indexed-output.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('the index of two streams', () => {
  let output: IndexedOutput
  let index: OutputIndex
  beforeEach(() => {
    output = new IndexedOutput(temporaryDirectory('output-index'))
    index = new OutputIndex(output.dir, output.files)
  })
  afterEach(() => index.close())

  const read = () => index.read(false).map(({ stream, position, length }) => [stream, position, length])

  it('has each piece once, in the order in which they came', () => {
    assert.deepEqual(read(), [])
    const at = output.write('stdout', 'one')
    output.write('stderr', 'three')
    output.write('stdout', 'two')
    const [first, ...others] = index.read(false)
    assert.deepEqual(first, { stream: 'stdout', at: at.getTime(), generation: 0, position: 0, length: 3 })
    assert.deepEqual(
      others.map(({ stream, position }) => [stream, position]),
      [
        ['stderr', 0],
        ['stdout', 3],
      ],
    )
    output.write('stderr', '!')
    assert.deepEqual([read(), read()], [[['stderr', 5, 1]], []])
  })

  it('takes an entry that is half written when the rest of it is there', () => {
    output.write('stdout', 'one')
    const path = indexPath(output.dir)
    const whole = readFileSync(path)
    truncateSync(path, whole.length - 7)
    assert.deepEqual(read(), [])
    appendFileSync(path, whole.subarray(-7))
    assert.deepEqual(read(), [['stdout', 0, 3]])
  })

  it('leaves out what no shim has written: another check, a time that no date has, a place beyond numbers', () => {
    output.write('stdout', 'one')
    const path = indexPath(output.dir)
    const bytes = readFileSync(path)
    bytes.writeUInt32LE(4, bytes.length - 16)
    writeFileSync(path, bytes)
    output.note({ stream: 'stdout', at: 9e15, position: 0, length: 1, generation: 0 })
    output.note({ stream: 'stdout', at: 1, position: Number.MAX_SAFE_INTEGER, length: 1, generation: 0 })
    output.note({ stream: 'stderr', at: 1, position: 0, length: 2, generation: 0 })
    assert.deepEqual(read(), [['stderr', 0, 2]])
  })

  it('says how often each stream was rotated, as far as its header can be believed', () => {
    output.writeHeader({ stdout: 2, stderr: 5 })
    assert.deepEqual(index.turns(), { stdout: 2, stderr: 5 })
    // An entry counts them in 32 bits.
    output.writeHeader({ stdout: 0, stderr: 2 * 2 ** 32 + 1 })
    assert.equal(index.turns(), null)
    const path = join(output.dir, 'output.index')
    for (const bytes of [
      Buffer.alloc(40),
      Buffer.from('HFINDEX\0\x01\0\0\0'),
      Buffer.from(`HFINDEX\0\x02${'\0'.repeat(31)}`),
    ]) {
      writeFileSync(path, bytes)
      assert.equal(index.turns(), null)
    }
  })

  it('is of no use where there is none', () => {
    const none = new OutputIndex(temporaryDirectory('no-index'), 3)
    assert.deepEqual([none.read(true), none.turns()], [[], null])
    none.close()
  })
})
