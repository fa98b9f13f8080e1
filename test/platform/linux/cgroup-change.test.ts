import { strict as assert } from 'node:assert'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldfastError } from '../../../src/index.ts'
import { changeCgroups } from '../../../src/platform/linux/cgroup-change.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'

describe('changeCgroups', () => {
  let dir: string
  beforeEach(() => {
    dir = temporaryDirectory('cgroup')
  })
  afterEach(() => removeTemporary(dir))

  const have = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  }
  /**
   * Plain files keep what is longer than what is written over it: the first line is what the kernel would
   * have got.
   */
  const value = (name: string): string | undefined => readFileSync(join(dir, name), 'utf8').split('\n')[0]
  const change = (...pairs: readonly (readonly [string, string])[]): void =>
    changeCgroups(pairs.map(([name, text]) => ({ path: join(dir, name), value: text })))
  const refusal = (work: () => void): HoldfastError => {
    try {
      work()
    } catch (error) {
      return error as HoldfastError
    }
    return assert.fail('it was taken')
  }

  it('writes each value', () => {
    have({ 'cpu.shares': '100\n', 'pids.max': '5\n' })
    change(['cpu.shares', '200'], ['pids.max', '7'])
    assert.deepEqual([value('cpu.shares'), value('pids.max')], ['200', '7'])
  })

  it('sets back what it has written when one is refused, and says that nothing was changed', () => {
    have({ 'cpu.shares': '100\n', 'io.max': '8:16 rbps=1 wbps=max riops=max wiops=max\n' })
    mkdirSync(join(dir, 'cpu.max'))
    const error = refusal(() => change(['cpu.shares', '200'], ['io.max', '8:0 rbps=5'], ['cpu.max', '1 2']))
    assert.equal(error.code, 'LIMIT_FAILED')
    assert.match(error.message, /cpu\.max: EISDIR; no limit was changed/)
    assert.equal(value('cpu.shares'), '100')
    assert.equal(value('io.max'), '8:0 rbps=max wbps=max riops=max wiops=max')
  })

  it('names what could not be set back', () => {
    have({ 'cpu.shares': '100\n', 'memory.max': 'max\n', 'memory.current': '5000\n' })
    const writes = [
      { path: join(dir, 'cpu.shares'), value: '200' },
      {
        path: join(dir, 'memory.max'),
        get value(): string {
          // What may happen between two writes.
          removeTemporary(join(dir, 'cpu.shares'))
          return '1'
        },
      },
    ]
    assert.match(
      refusal(() => changeCgroups(writes)).message,
      /memory\.max: EBUSY; changed, and not to be set back, were .*cpu\.shares/,
    )
  })

  it('takes a cgroup that is gone for the end of the task, and makes no file', () => {
    const error = refusal(() => change(['gone/pids.max', '5']))
    assert.deepEqual([error.code, error.errno], ['INVALID_STATE', 'ENOENT'])
  })

  it('takes a v1 memory cgroup that is gone for no raw error, whatever is read there before anything is written', () => {
    const gone = join(temporaryDirectory('gone'), 'removed')
    const writes = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'].map(name => ({
      path: join(gone, name),
      value: '1048576',
    }))
    assert.throws(() => changeCgroups(writes), {
      name: 'HoldfastError',
      code: 'INVALID_STATE',
      path: /removed/,
    })
  })

  it('refuses on v2 less memory than is in use, having asked for what can be given back', () => {
    have({ 'memory.max': 'max\n', 'memory.current': '5000\n', 'memory.reclaim': '' })
    const error = refusal(() => change(['memory.max', '4000']))
    assert.deepEqual([error.code, error.errno], ['LIMIT_FAILED', 'EBUSY'])
    assert.deepEqual([value('memory.max'), value('memory.reclaim')], ['max', '1000'])
    change(['memory.max', '6000'])
    assert.equal(value('memory.max'), '6000')
  })
})
