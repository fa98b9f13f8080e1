import { strict as assert } from 'node:assert'
import type { Enforcement } from '../../src/index.ts'
import { mergeResources, mergeRows } from '../../src/task/merge-limits.ts'

describe('limits that are changed', () => {
  it('leave those that are not named as they are', () => {
    assert.deepEqual(mergeResources({ cpu: 100, pids: 5 }, { pids: 6 }), { cpu: 100, pids: 6 })
    assert.deepEqual(mergeResources(null, { pids: 6 }), { pids: 6 })
    assert.deepEqual(mergeResources({ memoryMB: 64 }, {}), { memoryMB: 64 })
  })

  it('take memory by either of its names', () => {
    assert.deepEqual(mergeResources({ memoryMB: 64, cpu: 2 }, { memoryBytes: 1 << 20 }), {
      memoryBytes: 1 << 20,
      cpu: 2,
    })
    assert.deepEqual(mergeResources({ memoryBytes: 1 << 20 }, { memoryMB: 2 }), { memoryMB: 2 })
  })

  it('are merged by name in rlimits, and by number of each device in io', () => {
    assert.deepEqual(mergeResources({ rlimits: { nofile: 1, core: 0 } }, { rlimits: { nofile: [2, 3] } }), {
      rlimits: { nofile: [2, 3], core: 0 },
    })
    const io = [
      { device: '8:0', readBps: 1, writeBps: 2 },
      { device: '8:16', readBps: 3 },
    ]
    assert.deepEqual(mergeResources({ io }, { io: [{ device: '8:0', writeBps: 9, readIops: 4 }] }), {
      io: [{ device: '8:0', readBps: 1, writeBps: 9, readIops: 4 }, io[1]],
    })
  })

  it('take the place of their rows, before those of the isolation', () => {
    const rows = [row('memoryMB', '64'), row('cpu', '2'), row('user', 'nobody', 'isolation')]
    assert.deepEqual(mergeRows(rows, [row('memoryBytes', '5'), row('pids', '7')]), [
      row('cpu', '2'),
      row('memoryBytes', '5'),
      row('pids', '7'),
      row('user', 'nobody', 'isolation'),
    ])
    assert.deepEqual(mergeRows(rows, []), rows)
  })
})

function row(name: string, requested: string, kind: Enforcement['kind'] = 'limit'): Enforcement {
  return { name, kind, requested, status: 'enforced', reason: null, hint: null, chosen: true }
}
