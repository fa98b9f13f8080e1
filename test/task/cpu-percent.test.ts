import { strict as assert } from 'node:assert'
import type { Usage } from '../../src/api.ts'
import { withCpuPercent } from '../../src/task/cpu-percent.ts'

describe('the share of a processor between two samples', () => {
  const sample = (atMs: number, cpuMs: number | null, cpuPercent: number | null = null) =>
    ({ at: new Date(atMs), cpuMs, cpuPercent }) as Usage

  it('is that of the time between them, over 100 on several processors', () => {
    assert.equal(withCpuPercent(sample(2000, 600), sample(1000, 100)).cpuPercent, 50)
    assert.equal(withCpuPercent(sample(2000, 2100), sample(1000, 100)).cpuPercent, 200)
  })

  it('is unknown for the first, and where nobody counts', () => {
    assert.equal(withCpuPercent(sample(2000, 600), null).cpuPercent, null)
    assert.equal(withCpuPercent(sample(2000, null), sample(1000, 100)).cpuPercent, null)
    assert.equal(withCpuPercent(sample(2000, 600), sample(1000, null)).cpuPercent, null)
  })

  it('stays as it was where no time has passed, and is never below 0', () => {
    assert.equal(withCpuPercent(sample(1000, 200), sample(1000, 100, 30)).cpuPercent, 30)
    assert.equal(withCpuPercent(sample(2000, 50), sample(1000, 100)).cpuPercent, 0)
  })
})
